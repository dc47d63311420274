import Foundation
import Glibc
import Testing

@testable import Sandbox

/// Runs the suites with real sandboxes once more as a user without any privilege.
@Suite(.enabled(if: geteuid() == 0)) struct RootlessTests {
    @Test(
        "the suites pass as an ordinary user, with one id and with subordinate ids",
        arguments: access("/usr/bin/newuidmap", X_OK) == 0 ? [false, true] : [false])
    func theSuitesPass(subordinateIDs: Bool) throws {
        let bundle = ["--filter", #"SandboxTests\.Sandbox(Failure)?Tests"#, "--testing-library", "swift-testing"]
        let own = try HostPath.resolved("/proc/self/exe")
        let (read, write) = try DescriptorMessages.pipe()
        var spawn: Spawn
        if subordinateIDs {
            // The ids are granted in a mount namespace of the test's own: nothing of the machine changes.
            let script = """
                file=$(mktemp) && echo nobody:200000:65536 > $file && chmod 644 $file || exit 1
                mount --bind $file /etc/subuid && mount --bind $file /etc/subgid && rm $file || exit 1
                exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
                """
            spawn = Spawn(
                program: try Spawn.open(program: "/usr/bin/unshare"),
                arguments: ["unshare", "--mount", "/bin/sh", "-c", script, "sh", own] + bundle,
                environment: ["HOME=/tmp", "PATH=/usr/bin:/bin"])
        } else {
            spawn = Spawn(
                program: try Spawn.open(program: own), arguments: [CommandLine.arguments[0]] + bundle,
                environment: ["HOME=/tmp", "PATH=/usr/bin:/bin"])
            spawn.user = (uid: 65534, gid: 65534)
        }
        spawn.standardOutput = write
        spawn.standardError = write
        spawn.directory = try Spawn.open(program: "/")
        let child = try spawn.start()
        spawn.standardOutput = nil
        spawn.standardError = nil
        let output = withExtendedLifetime(write) {
            drain(read, until: child)
        }
        #expect(try child.waitForExit() == .code(0), "\(output)")
        #expect(output.contains("passed"), "\(output)")
        #expect(!output.contains("Test run with 0 tests"))
    }

    private func drain(_ pipe: OwnedDescriptor, until child: ChildProcess) -> String {
        var output = ""
        var bytes = [UInt8](repeating: 0, count: 65536)
        _ = fcntl(pipe.number, F_SETFL, O_NONBLOCK)
        var ended = false
        while true {
            let count = Glibc.read(pipe.number, &bytes, bytes.count)
            if count > 0 {
                output += String(decoding: bytes.prefix(count), as: UTF8.self)
            } else if ended {
                return output
            } else {
                ended = child.hasEnded
                if !ended { usleep(20_000) }
            }
        }
    }
}

extension ChildProcess {
    /// Whether the process has ended; it is not reaped.
    fileprivate var hasEnded: Bool {
        var watched = pollfd(fd: pidfd.number, events: Int16(POLLIN), revents: 0)
        return poll(&watched, 1, 0) == 1
    }
}
