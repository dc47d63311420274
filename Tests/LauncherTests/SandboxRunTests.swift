import CLinux
import Foundation
import Glibc
import Sandbox
import Testing

@testable import Launcher

/// `rookery-launcher run` as a caller sees it.
@Suite struct SandboxRunTests {
    struct Outcome {
        var status: Int32
        var output: String
        var errors: String
    }

    /// Runs it with pipes as standard streams, as root or as an ordinary user.
    func run(
        _ arguments: [String], input: String = "", rootless: Bool, in scratch: Scratch
    ) async throws -> Outcome {
        try await program("rookery-launcher", ["run"] + arguments, input: input, rootless: rootless, in: scratch)
    }

    /// The same for any program of the package.
    func program(
        _ name: String, _ arguments: [String], input: String = "", rootless: Bool, in scratch: Scratch,
        within seconds: Int = 60
    ) async throws -> Outcome {
        try await command(
            Products.path(name), arguments, input: input, rootless: rootless, in: scratch, within: seconds)
    }

    /// The same for any program at all, by its path.
    func command(
        _ path: String, _ arguments: [String], input: String = "", rootless: Bool = false, in scratch: Scratch,
        within seconds: Int = 60
    ) async throws -> Outcome {
        let outside = try DescriptorMessages.pipe()
        let errors = try DescriptorMessages.pipe()
        // With the end of this function the input ends.
        func start() throws -> ChildProcess {
            let inside = try DescriptorMessages.pipe()
            _ = input.withCString { write(inside.write.number, $0, strlen($0)) }
            var spawn = Spawn(
                program: try Spawn.open(program: path), arguments: [path] + arguments,
                environment: ["PATH=/usr/bin:/bin", "TMPDIR=\(scratch.path)/run"])
            spawn.standardInput = inside.read
            spawn.standardOutput = outside.write
            spawn.standardError = errors.write
            if rootless, geteuid() == 0 { spawn.user = (Stage.service, Stage.service) }
            return try spawn.start()
        }
        let child = try start()
        var status: Int32?
        // More than a pipe holds is read on the way.
        var output = ""
        var complaints = ""
        let ended = await eventually(within: seconds) {
            output += Self.text(outside.read)
            complaints += Self.text(errors.read)
            switch (try? child.exitIfEnded()) ?? nil {
            case .code(let code): status = code
            case .signal(let number): status = -number
            case nil: break
            }
            return status != nil
        }
        if !ended { child.kill() }
        return Outcome(
            status: status ?? -1000, output: output + Self.text(outside.read),
            errors: complaints + Self.text(errors.read))
    }

    /// What is in a pipe now.
    static func text(_ pipe: OwnedDescriptor) -> String {
        _ = fcntl(pipe.number, F_SETFL, O_NONBLOCK)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(pipe.number, &buffer, buffer.count), count > 0 { bytes += buffer[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    func with(rootless: Bool, _ body: (Scratch) async throws -> Void) async throws {
        let scratch = try Scratch(owner: rootless ? Stage.service : geteuid())
        defer { scratch.remove() }
        try await body(scratch)
        // The temporary home and workspace are gone.
        let left = try FileManager.default.contentsOfDirectory(atPath: "\(scratch.path)/run")
        #expect(left.isEmpty)
    }

    @Test("streams and the exit status are the command's", arguments: LaunchTests.modes)
    func streams(rootless: Bool) async throws {
        try await with(rootless: rootless) { scratch in
            let outcome = try await run(
                ["--", "sh", "-c", "read line; echo \"out $line $(id -u) $HOME $(pwd)\"; echo err >&2; exit 7"],
                input: "hello\n", rootless: rootless, in: scratch)
            #expect(outcome.status == 7)
            #expect(outcome.output == "out hello 1000 /home/agent /workspace\n")
            #expect(outcome.errors == "err\n")
        }
    }

    static let statuses: [([String], Int32)] = [
        (["--", "true"], 0), (["--", "false"], 1), (["--", "sh", "-c", "kill -TERM $$"], 128 + SIGTERM),
        (["--", "no-such-command"], 127), (["--", "/no/such/file"], 127), (["--", "./missing"], 127),
        (["--", "/etc/passwd"], 126), (["--policy", "nope", "--", "true"], 125),
        (["--workspace", "/nonexistent", "--", "true"], 125), (["--workspace", "/etc/passwd", "--", "true"], 125),
        (["--policies", "/etc/passwd", "--", "true"], 125),
    ]

    @Test("exit statuses", arguments: LaunchTests.modes, statuses.indices)
    func status(rootless: Bool, index: Int) async throws {
        try await with(rootless: rootless) { scratch in
            let (arguments, status) = Self.statuses[index]
            let outcome = try await run(arguments, rootless: rootless, in: scratch)
            #expect(outcome.status == status, "\(outcome.errors)")
            if status >= 125 && status <= 127 { #expect(outcome.errors.hasPrefix("rookery: ")) }
        }
    }

    @Test("a given workspace is the caller's own", arguments: LaunchTests.modes)
    func workspace(rootless: Bool) async throws {
        try await with(rootless: rootless) { scratch in
            let directory = "\(scratch.path)/bin/project"
            mkdir(directory, 0o755)
            chown(directory, Stage.service, Stage.service)
            let outcome = try await run(
                ["--workspace", directory, "--", "sh", "-c", "echo made > file && stat -c %u file"],
                rootless: rootless, in: scratch)
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output == "1000\n")
            #expect(scratch.text("bin/project/file") == "made\n")
            #expect(scratch.status("bin/project/file")?.st_uid == Stage.service)
        }
    }

    @Test(.enabled(if: Stage.isRoot)) func aWorkspaceOfRootIsRefused() async throws {
        try await with(rootless: false) { scratch in
            let outcome = try await run(
                ["--workspace", "\(scratch.path)/bin", "--", "true"], rootless: false, in: scratch)
            #expect(outcome.status == 125)
            #expect(outcome.errors.contains("belongs to root"))
        }
    }

    @Test(.enabled(if: Stage.isRoot)) func theDiskIsAsSmallAsASessions() async throws {
        try await with(rootless: false) { scratch in
            try scratch.installPolicies()
            let policy = "version: 1\nextends: default\nlimits:\n  disk: 24MiB\nrequire: [disk, inodes]\n"
            try policy.write(toFile: "\(scratch.path)/Policies/small.yaml", atomically: true, encoding: .utf8)
            let small = ["--policies", "\(scratch.path)/Policies", "--policy", "small"]
            let fill = "for n in 1 2 3; do head -c 10M /dev/zero >$n || echo full; done 2>&1; echo x >~/y || echo too"
            let outcome = try await run(small + ["--", "sh", "-c", fill], rootless: false, in: scratch)
            #expect(outcome.output.contains("No space left on device"), "\(outcome.output) \(outcome.errors)")
            #expect(outcome.output.contains("full\n"), "\(outcome.output)")
            let explanation = try await run(small + ["--explain", "--", "true"], rootless: false, in: scratch)
            #expect(explanation.output.contains("limit disk: asked 24MiB, enforced 24MiB by loop-image\n"))
            // Nothing of it is on the host, and no device stays.
            let mounts = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
            #expect(!mounts.contains(scratch.path))
        }
    }

    @Test("compilers and interpreters work under the strict policy", arguments: LaunchTests.modes)
    func strict(rootless: Bool) async throws {
        let programs = [
            "cc": #"printf 'int main(void) { return 42; }' >a.c && cc -O1 -o a a.c && { ./a; test $? = 42; }"#,
            "python3": """
            python3 -c '
            import concurrent.futures as f, multiprocessing as m, sqlite3, ssl, subprocess, tempfile, threading
            assert subprocess.check_output(["echo", "x"]) == b"x\\n"
            assert list(f.ThreadPoolExecutor(4).map(abs, [-1, -2])) == [1, 2]
            p = m.get_context("fork").Process(target=print, args=("child",)); p.start(); p.join()
            assert p.exitcode == 0
            sqlite3.connect("a.db").execute("create table t (a)")
            tempfile.NamedTemporaryFile().close()
            '
            """,
            "node": """
            node -e 'const {execFileSync} = require("child_process"), {Worker} = require("worker_threads");
            if (execFileSync("echo", ["x"]).toString() !== "x\\n") process.exit(3);
            new Worker("1", {eval: true}).on("exit", code => process.exit(code))'
            """,
            "git": "git init -q r && cd r && git -c user.name=a -c user.email=a@b commit -qm a --allow-empty",
        ]
        let found = programs.keys.sorted().filter { access("/usr/bin/\($0)", X_OK) == 0 }
        try await with(rootless: rootless) { scratch in
            try scratch.installPolicies()
            for name in found {
                let outcome = try await run(
                    [
                        "--policies", "\(scratch.path)/Policies", "--policy", "strict", "--", "sh", "-c",
                        "(\(programs[name] ?? "false")) && echo works",
                    ], rootless: rootless, in: scratch)
                #expect(outcome.output.hasSuffix("works\n"), "\(name): \(outcome.output) \(outcome.errors)")
            }
        }
    }

    @Test("explaining starts nothing", arguments: LaunchTests.modes)
    func explain(rootless: Bool) async throws {
        try await with(rootless: rootless) { scratch in
            let outcome = try await run(
                ["--explain", "--", "sh", "-c", "echo ran"], rootless: rootless, in: scratch)
            #expect(outcome.status == 0)
            #expect(outcome.output.contains("limit memory: asked 2GiB"))
            #expect(outcome.output.contains("give up every privilege"))
            #expect(!outcome.output.contains("\nran\n"))
        }
    }

    @Test("a directory as standard input does not get inside", arguments: LaunchTests.modes)
    func directoryAsInput(rootless: Bool) async throws {
        try await with(rootless: rootless) { scratch in
            let outcome = try await run(
                ["--", "sh", "-c", "readlink /proc/self/fd/0 | cut -d: -f1; ls /proc/self/fd | wc -l"],
                rootless: rootless, in: scratch)
            // 0, 1, 2 and the one that ls reads the directory with.
            #expect(outcome.output == "pipe\n4\n")
        }
    }

    @Test(
        "names are looked up as inside",
        arguments: [
            (["/bin/x", "a"], ["/bin/x", "a"]), (["./x"], ["/workspace/./x"]), (["claude"], ["/usr/local/bin/claude"]),
        ])
    func lookup(given: [String], resolved: [String]) throws {
        let found = try CommandLookup(image: nil).resolve(given)
        #expect(found == resolved)
    }
}
