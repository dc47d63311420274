import Foundation
import Glibc
import Testing

@testable import Sandbox

/// A launch that fails names its step and leaves nothing behind.
@Suite struct SandboxFailureTests {
    private func failure(_ change: (SandboxTrial) -> Void) throws -> SandboxError? {
        let trial = try SandboxTrial("true")
        change(trial)
        do {
            try trial.start()
            return nil
        } catch let error as SandboxError {
            return error
        }
    }

    @Test func missingWorkspace() throws {
        let error = try #require(try failure { $0.specification.workspace += "-missing" })
        #expect(error.step == "mount /workspace")
        #expect(error.errno == ENOENT)
        #expect(error.remedy.contains("create"))
    }

    @Test func linkAsWorkspace() throws {
        let error = try #require(
            try failure {
                symlink("/etc", "\($0.directory)/link")
                $0.specification.workspace = "\($0.directory)/link"
            })
        #expect(error.step == "mount /workspace" && error.errno == ELOOP)
    }

    @Test func missingClaudeBinary() throws {
        let error = try #require(try failure { $0.specification.claudeBinary = "/nonexistent/claude" })
        #expect(error.step == "claude binary" && error.errno == ENOENT)
    }

    @Test func missingInit() throws {
        let error = try #require(try failure { $0.specification.initProgram = "/nonexistent/rookery-init" })
        #expect(error.step == "init" && error.errno == ENOENT)
    }

    @Test func startCommandWithoutInterpreter() throws {
        let error = try #require(
            try failure {
                try? "#!/nonexistent\n".write(toFile: "\($0.directory)/start", atomically: false, encoding: .utf8)
            })
        #expect(error.step == "exec /run/rookery/start" && error.errno == ENOENT)
        #expect(error.remedy.contains("interpreter"))
    }

    @Test func startCommandThatIsNotExecutable() throws {
        let error = try #require(try failure { chmod("\($0.directory)/start", 0o644) })
        #expect(error.step == "exec /run/rookery/start" && error.errno == EACCES)
        #expect(error.remedy.contains("chmod"))
    }

    @Test func startCommandThatIsNoProgram() throws {
        let error = try #require(
            try failure { try? "neither".write(toFile: "\($0.directory)/start", atomically: false, encoding: .utf8) })
        #expect(error.step == "exec /run/rookery/start" && error.errno == ENOEXEC)
    }

    @Test func refusalOnceTheProcessIsBorn() throws {
        let refusal = SandboxError(step: "cgroup memory", errno: ENOSPC, message: "no room")
        let pids = Pids()
        let error = try failure {
            $0.specification.whenBorn = { pid throws(SandboxError) in
                pids.add(pid)
                throw refusal
            }
        }
        #expect(error == refusal)
        let pid = try #require(pids.all.first)
        #expect(kill(pid, 0) == -1 && errno == ESRCH, "rookery-init is gone and reaped")
    }

    @Test func nulByteInTheEnvironment() throws {
        let error = try #require(try failure { $0.specification.environment["A"] = "b\0c" })
        #expect(error.step == "plan")
    }

    @Test(arguments: ["", "a b", "host.example", String(repeating: "x", count: 64)])
    func badHostName(name: String) throws {
        #expect(try failure { $0.specification.hostname = name }?.step == "specification")
    }

    @Test func aStuckInitIsKilled() throws {
        let pids = Pids()
        let error = try failure {
            $0.specification.initProgram = "/usr/bin/yes"  // writes to /dev/null for ever
            $0.specification.patience = 200
            $0.specification.whenBorn = { pid throws(SandboxError) in pids.add(pid) }
        }
        #expect(error?.step == "init" && error?.errno == ETIMEDOUT)
        let pid = try #require(pids.all.first)
        #expect(kill(pid, 0) == -1 && errno == ESRCH)
    }

    @Test func anInitThatEndsAtOnceIsNoticed() throws {
        let clock = ContinuousClock()
        let begin = clock.now
        #expect(try failure { $0.specification.initProgram = "/usr/bin/true" }?.step == "init")
        // Far below the patience of a trial, a minute: its end is seen, not waited out.
        #expect(clock.now - begin < .seconds(30))
    }

    @Test func aSandboxThatNeverGoesEndsWithItsObject() throws {
        let trial = try SandboxTrial("true")
        var sandbox: StartedSandbox? = try trial.specification.start()
        let process = try #require(sandbox?.process)
        #expect(try process.exitIfEnded() == nil)
        sandbox = nil
        #expect(try process.waitForExit(milliseconds: 30_000) != nil)
    }
}

/// Pids seen by a callback. A lock guards the only state, so it may cross threads.
private final class Pids: @unchecked Sendable {
    private let lock = NSLock()
    private var pids: [Int32] = []
    var all: [Int32] { lock.withLock { pids } }
    func add(_ pid: Int32) { lock.withLock { pids.append(pid) } }
}
