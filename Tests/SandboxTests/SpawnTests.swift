import CLinux
import Glibc
import Testing

@testable import Sandbox

@Suite struct SpawnTests {
    /// Runs a shell script with the pipe's write end as standard output and returns what it wrote and how it ended.
    private func run(
        _ script: String, configure: (inout Spawn) -> Void = { _ in }
    ) throws -> (output: String, exit: ChildProcess.Exit) {
        let (read, write) = try DescriptorMessages.pipe()
        var spawn = Spawn(program: try Spawn.open(program: "/bin/sh"), arguments: ["sh", "-c", script])
        spawn.standardOutput = write
        configure(&spawn)
        let child = try spawn.start()
        spawn.standardOutput = nil
        let exit = try child.waitForExit()
        var bytes = [UInt8](repeating: 0, count: 65536)
        _ = fcntl(read.number, F_SETFL, O_NONBLOCK)
        let count = Glibc.read(read.number, &bytes, bytes.count)
        return (String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self), exit)
    }

    @Test func passesOnlyTheNamedDescriptorsAndEnvironment() throws {
        let leaked = open("/dev/null", O_RDONLY)  // no O_CLOEXEC: must not reach the child all the same
        defer { close(leaked) }
        let first = try DescriptorMessages.sealedMemory(named: "first", Array("one".utf8))
        let second = try DescriptorMessages.sealedMemory(named: "second", Array("two".utf8))
        let (output, exit) = try run("cat <&3; cat <&4; ls /proc/self/fd | tr '\\n' ' '; /usr/bin/env") {
            $0.descriptors = [first, second]
            $0.environment = ["ONLY=this"]
        }
        #expect(exit == .code(0))
        #expect(output.hasPrefix("onetwo0 1 2 3 4 5 "), "5 is the directory that ls reads")
        #expect(output.contains("ONLY=this\n"))
        #expect(!output.contains("PATH=/"))
    }

    @Test(arguments: [0, 7, 255]) func reportsTheExitCode(code: Int32) throws {
        #expect(try run("exit \(code)").exit == .code(code))
    }

    @Test func reportsTheSignal() throws {
        #expect(try run("kill -9 $$").exit == .signal(SIGKILL))
    }

    /// Whatever number the directory has, one of the passed descriptors takes it.
    @Test func startsInItsDirectoryWhateverItsNumberIs() throws {
        let directory = try Spawn.open(program: "/usr")
        guard Int(directory.number) < 3 + Spawn.mostDescriptors else { return }
        let null = try Spawn.open(program: "/dev/null")
        let (output, exit) = try run("pwd") {
            $0.directory = directory
            $0.descriptors = Array(repeating: null, count: Spawn.mostDescriptors)
        }
        #expect(exit == .code(0))
        #expect(output == "/usr\n")
    }

    @Test func resetsIgnoredSignals() throws {
        signal(SIGPIPE, SIG_IGN)  // for good: other tests run at the same time
        #expect(try run("kill -PIPE $$; exit 3").exit == .signal(SIGPIPE))
    }

    @Test func namesTheStageAndLeavesNoChild() throws {
        let directory = try Spawn.open(program: "/")
        #expect(throws: SpawnError(stage: "exec", errno: EACCES)) {
            try Spawn(program: directory, arguments: ["x"]).start()
        }
        var spawn = Spawn(program: try Spawn.open(program: "/bin/sh"), arguments: ["sh"])
        spawn.descriptors = [OwnedDescriptor(owning: -1)]
        #expect(throws: SpawnError(stage: "descriptors", errno: EBADF)) { try spawn.start() }
        spawn.descriptors = Array(repeating: directory, count: Spawn.mostDescriptors + 1)
        #expect(throws: SpawnError(stage: "prepare", errno: EINVAL)) { try spawn.start() }
    }

    @Test(.enabled(if: geteuid() == 0)) func takesTheIdsForGood() throws {
        let (output, _) = try run("id -u; id -g; id -G; grep CapEff /proc/self/status") {
            $0.user = (uid: 12345, gid: 12346)
        }
        #expect(output == "12345\n12346\n12346\nCapEff:\t0000000000000000\n")
    }

    @Test func manyThreadsSpawnAtOnce() async throws {
        try await withThrowingTaskGroup(of: ChildProcess.Exit.self) { group in
            for number in 0..<64 {
                group.addTask { try run("exit \(number)").exit }
            }
            var codes: Set<ChildProcess.Exit> = []
            for try await exit in group { codes.insert(exit) }
            #expect(codes == Set((0..<64).map { .code($0) }))
        }
    }
}
