import CLinux
import Foundation
import Glibc
import Policy
import Synchronization
import WorkerControl

@testable import Sandbox

/// One real sandbox with directories of its own, as a test wants it. Its command is a script; what the script writes
/// to /workspace is read here on the host.
final class SandboxTrial {
    let directory: String
    var specification: SandboxSpecification
    private(set) var started: StartedSandbox?
    /// The refused calls that were counted.
    let violations = ViolationCounts()

    static let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path(percentEncoded: false)
    static let initProgram = packageRoot + ".build/debug/rookery-init"
    static let claude = packageRoot + ".deps/bin/claude"
    /// A range that no other test uses: parallel runs on one machine must not share per-uid limits.
    static let base: UInt32 = 0x7000_0000 + UInt32(getpid() % 1000) * 65536

    init(_ script: String, interpreter: String = "/bin/bash") throws {
        var template = Array("/tmp/rks-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError(call: "mkdtemp", errno: errno) }
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        let owner = geteuid() == 0 ? Self.base + 1000 : geteuid()
        // World-searchable, so that only the sandbox itself can be what keeps the tenant out.
        chmod(directory, 0o755)
        for name in ["workspace", "home"] {
            mkdir("\(directory)/\(name)", 0o700)
            chown("\(directory)/\(name)", owner, owner)
        }
        let start = "\(directory)/start"
        try "#!\(interpreter)\n\(script)\n".write(toFile: start, atomically: true, encoding: .utf8)
        chmod(start, 0o755)
        specification = SandboxSpecification(
            identity: geteuid() == 0 ? .range(base: Self.base) : .caller, initProgram: Self.initProgram,
            workspace: "\(directory)/workspace", home: "\(directory)/home", startCommand: start, claudeBinary: nil,
            rules: .standard)
        specification.patience = 60_000
        specification.environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/home/agent", "TERM": "xterm"]
    }

    deinit {
        started?.kill()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Starts the sandbox and its command.
    @discardableResult
    func start() throws -> StartedSandbox {
        // Another test's child may hold the descriptor with which this script was just written, until its own exec:
        // the kernel then calls the script busy.
        for _ in 0..<20 {
            let sandbox = try specification.start()
            started = sandbox
            do throws(SandboxError) {
                try sandbox.go()
                answerViolations(of: sandbox)
                return sandbox
            } catch {
                guard error.errno == ETXTBSY else { throw error }
                usleep(50_000)
            }
        }
        throw SystemError(call: "start", errno: ETXTBSY)
    }

    /// Without somebody who answers, a refused call would wait for ever.
    private func answerViolations(of sandbox: StartedSandbox) {
        let socket = dup(sandbox.violations.number)
        ViolationResponder(socket: socket, names: SeccompProfile.counted(specification.rules.seccomp)) {
            [violations] violation in
            violations.note(violation)
        }.start()
    }

    /// Closes all that the test holds of the sandbox, the leash above all.
    func letGo() -> ChildProcess? {
        defer { started = nil }
        return started?.process
    }

    /// Starts the command and waits for its end; returns the line of the status pipe.
    func run() throws -> String {
        try start()
        return try status()
    }

    /// Waits for the line of the status pipe, reading the terminal meanwhile so that the command is never blocked.
    func status() throws -> String {
        guard let started else { return "" }
        _ = fcntl(started.terminal.number, F_SETFL, O_NONBLOCK)
        for _ in 0..<1200 {
            readTerminal()
            guard rk_wait_readable(started.status.number, 50) == 1 else { continue }
            var bytes = [UInt8](repeating: 0, count: 64)
            let count = read(started.status.number, &bytes, bytes.count)
            readTerminal()
            return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
        }
        return "no status in a minute"
    }

    /// What the command wrote to its terminal.
    private(set) var output = ""

    func readTerminal() {
        guard let started else { return }
        _ = fcntl(started.terminal.number, F_SETFL, O_NONBLOCK)
        var bytes = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(started.terminal.number, &bytes, bytes.count)
            guard count > 0 else { return }
            output += String(decoding: bytes.prefix(count), as: UTF8.self)
        }
    }

    /// A file that the command left in its workspace.
    func file(_ name: String) -> String {
        (try? String(contentsOfFile: "\(directory)/workspace/\(name)", encoding: .utf8)) ?? ""
    }

    /// Waits until a file is in the workspace.
    func waitForFile(_ name: String) -> Bool {
        for _ in 0..<600 {
            if FileManager.default.fileExists(atPath: "\(directory)/workspace/\(name)") { return true }
            readTerminal()
            usleep(50_000)
        }
        return false
    }
}

final class ViolationCounts: Sendable {
    private let byCall = Mutex<[String: Int]>([:])

    func note(_ violation: ViolationResponder.Violation) {
        byCall.withLock { $0[violation.call, default: 0] += violation.count }
    }

    subscript(call: String) -> Int { byCall.withLock { $0[call] ?? 0 } }
}
