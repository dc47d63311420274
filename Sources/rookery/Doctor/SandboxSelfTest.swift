import Dispatch
import Foundation
import Policy

/// Runs a probe in a real sandbox, as a session of the default policy gets it, and looks from the inside.
struct SandboxSelfTest {
    let installation: Installation

    /// One line a fact, `name value`.
    static let probe = """
        echo "pid $$"
        for d in /proc/[0-9]*; do echo "process ${d#/proc/}"; done
        while read name value rest; do
          case $name in Cap*|NoNewPrivs:|Seccomp:|Uid:) echo "${name%:} $value";; esac
        done < /proc/self/status
        echo "hostname $(cat /proc/sys/kernel/hostname)"
        while read name rest; do case $name in *:*) echo "interface ${name%%:*}";; esac; done < /proc/net/dev
        if (: > /usr/rookery-doctor) 2>/dev/null; then echo "usr writable"; else echo "usr closed"; fi
        if (: > /workspace/rookery-doctor) 2>/dev/null; then echo "workspace writable"; else echo "workspace closed"; fi
        echo "openfiles $(ulimit -n)"
        echo "tmp $(df -kP /tmp | { read x; read device size rest; echo $size; })"
        """

    func run() -> [Finding] {
        guard access(installation.launcher, X_OK) == 0 else { return [] }
        var arguments = ["run"]
        if FileManager.default.fileExists(atPath: installation.policies) {
            arguments += ["--policies", installation.policies]
        }
        let answer = execute(arguments + ["--", "/bin/bash", "-c", Self.probe])
        guard answer.status == 0 else {
            let reason = answer.errors.split(separator: "\n").last.map(String.init) ?? "exit status \(answer.status)"
            return [
                .fail(
                    "sandbox", "the self-test did not run: \(reason.trimmingPrefix("rookery: "))",
                    "rookery sandbox run --explain -- true shows each step")
            ]
        }
        let policy = (try? PolicyStore(directory: installation.policies))?.policy(named: nil) ?? .builtIn
        let explained = execute(arguments + ["--explain", "--", "true"]).output
        return [
            Self.finding(facts: answer.output, hostname: Self.hostname, limits: policy.sandbox.limits),
            Self.limitsFinding(explained),
        ]
    }

    /// What the probe saw against what must be. Facts that are missing count as wrong.
    static func finding(facts text: String, hostname: String, limits: ResourceLimits) -> Finding {
        var facts: [String: [String]] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            if words.count == 2 { facts[words[0], default: []].append(words[1]) }
        }
        func one(_ name: String) -> String { facts[name]?.first ?? "?" }
        var wrong: [String] = []
        if Int(one("pid")).map({ $0 > 16 }) ?? true { wrong.append("its pid is \(one("pid"))") }
        // The command and what it starts; pid 1 is another's and hidden.
        if facts["process"].map({ $0.count > 3 || $0.contains("1") }) ?? true {
            wrong.append("it sees \(facts["process"]?.count ?? 0) processes")
        }
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]
        where UInt64(one(set), radix: 16) != 0 {
            wrong.append("\(set) is \(one(set))")
        }
        if one("NoNewPrivs") != "1" { wrong.append("no_new_privs is \(one("NoNewPrivs"))") }
        if one("Seccomp") != "2" { wrong.append("seccomp is \(one("Seccomp"))") }
        if one("Uid") != "1000" { wrong.append("its user is \(one("Uid"))") }
        if facts["interface"] ?? ["?"] != ["lo"] {
            wrong.append("its interfaces are \(facts["interface"]?.joined(separator: ", ") ?? "unknown")")
        }
        if one("usr") != "closed" { wrong.append("/usr is \(one("usr"))") }
        if one("workspace") != "writable" { wrong.append("/workspace is \(one("workspace"))") }
        if one("hostname") == hostname || one("hostname") == "?" { wrong.append("its host name is \(one("hostname"))") }
        if Int(one("openfiles")).map({ $0 > limits.openFiles }) ?? true {
            wrong.append("it may open \(one("openfiles")) files, not \(limits.openFiles)")
        }
        let temporary = limits.temporary.bytes >> 10
        if UInt64(one("tmp")).map({ $0 > temporary + 4 }) ?? true {
            wrong.append("its /tmp has \(one("tmp")) KiB, not \(temporary)")
        }
        guard wrong.isEmpty else {
            return .fail(
                "sandbox", "seen from inside, \(wrong.joined(separator: "; "))",
                "do not let others use this machine's sessions; rookery sandbox run --explain -- true shows each step")
        }
        return .ok(
            "sandbox",
            "seen from inside: own processes, user 1000, no capabilities, seccomp, no network, /usr read-only, own host "
                + "name, limits of files and /tmp")
    }

    /// Which limits of the default policy hold, from what the launcher says of them.
    static func limitsFinding(_ explanation: String) -> Finding {
        // What the policy does not set is asked as none.
        let lines = explanation.split(separator: "\n").filter {
            $0.hasPrefix("limit ") && $0.contains(": asked ") && !$0.contains(": asked none,")
        }
        let open = lines.filter { $0.contains("enforced not at all") }.compactMap { line in
            line.dropFirst("limit ".count).split(separator: ":").first.map(String.init)
        }
        guard !lines.isEmpty else {
            return .warn("limits", "the launcher does not say which hold", "rookery sandbox run --explain -- true")
        }
        guard open.isEmpty else {
            return .warn(
                "limits", "not enforced here: \(open.joined(separator: ", "))",
                "rookery sandbox run --explain -- true says why for each")
        }
        return .ok("limits", "all \(lines.count) of the default policy hold")
    }

    private static var hostname: String { KernelChecks.contents("/proc/sys/kernel/hostname") ?? "" }

    private func execute(_ arguments: [String]) -> (status: Int32, output: String, errors: String) {
        let process = Process()
        process.executableURL = URL(filePath: installation.launcher)
        process.arguments = arguments
        process.environment = ["PATH": "/usr/bin:/bin", "TMPDIR": NSTemporaryDirectory()]
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return (125, "", "it cannot be started") }
        let deadline = DispatchWorkItem { process.terminate() }
        DispatchQueue.global().asyncAfter(deadline: .now() + 20, execute: deadline)
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        deadline.cancel()
        return (process.terminationStatus, text, complaint)
    }
}
