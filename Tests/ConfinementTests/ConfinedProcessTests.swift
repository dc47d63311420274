import Foundation
import Glibc
import Testing

@testable import Confinement

/// A real process that confines itself and tries what one that was taken over would.
@Suite struct ConfinedProcessTests {
    private static let probe = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "confinement-probe")

    /// Runs the probe in a directory of its own; returns its lines and how it ended.
    private static func run(_ arguments: [String] = []) throws -> (lines: [String], status: Int32, signalled: Bool) {
        let directory = "/tmp/rkc-\(UUID().uuidString.prefix(8))"
        let files = FileManager.default
        try files.createDirectory(atPath: "\(directory)/own", withIntermediateDirectories: true)
        defer { try? files.removeItem(atPath: directory) }
        for name in ["foreign", "own/file"] { try Data().write(to: URL(filePath: "\(directory)/\(name)")) }
        let process = Process()
        process.executableURL = probe
        process.arguments = [directory] + arguments
        process.environment = ["SWIFT_BACKTRACE": "enable=no"]
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (
            text.split(separator: "\n").map(String.init), process.terminationStatus,
            process.terminationReason == .uncaughtSignal
        )
    }

    private static let landlock = LandlockRuleset.Abilities.here

    #if arch(x86_64)
        @Test func whatAProgramNeverNeedsIsRefusedAndWhatItNeedsIsNot() throws {
            let run = try Self.run()
            #expect(run.status == 0)
            let found = Dictionary(
                run.lines.filter { !$0.hasPrefix("gap ") }.map { line in
                    let words = line.split(separator: " ")
                    return (String(words[0]), Int32(words[1]) ?? -1)
                }, uniquingKeysWith: { first, _ in first })
            var expected: [String: Int32] = [
                "execve": EPERM, "fork": EPERM, "vfork": EPERM, "clone": EPERM, "clone-userns": EPERM, "clone3": ENOSYS,
                "ptrace": EPERM, "process_vm_readv": EPERM, "kill-parent": EPERM, "tgkill-parent": EPERM,
                "setsid": EPERM, "setuid": EPERM, "prctl-dumpable": ENOSYS, "prctl-seccomp": ENOSYS,
                "prlimit-parent": ENOSYS, "mount": EPERM, "umount2": EPERM, "unshare": EPERM, "setns": EPERM,
                "pivot_root": EPERM, "chroot": EPERM, "bpf": EPERM, "keyctl": EPERM, "perf_event_open": EPERM,
                "userfaultfd": EPERM, "io_uring_setup": ENOSYS, "init_module": EPERM, "memfd_create": EPERM,
                "open_by_handle_at": EPERM, "unknown": ENOSYS, "tiocsti": ENOSYS, "socket-packet": EAFNOSUPPORT,
                "socket-vsock": EAFNOSUPPORT, "socket-alg": EAFNOSUPPORT, "socket-raw": ENOSYS,
                "socket-netfilter": ENOSYS, "device-own": EPERM, "socket-unix": 0, "socket-tcp": 0, "socket-route": 0,
                "read-own": 0, "write-own": 0, "read-system": 0, "thread": 0, "signal-self": 0, "pipe": 0,
            ]
            if Self.landlock.files != 0 {
                for name in ["read-foreign", "write-foreign", "remove-foreign", "write-system"] {
                    expected[name] = EACCES
                }
                // Where the two directories have different rights, the kernel says that they are not one filesystem.
                #expect([EACCES, EXDEV].contains(found["move-foreign"]))
            }
            if Self.landlock.ports != 0 {
                expected["bind-tcp"] = EACCES
                expected["connect-tcp"] = EACCES
            }
            for (name, code) in expected { #expect(found[name] == code, "\(name)") }
        }

        @Test("a call by another architecture's number ends the process", arguments: ["i386", "x32"])
        func foreignArchitecture(name: String) throws {
            let run = try Self.run([name])
            #expect(run.signalled && run.status == SIGSYS, "\(run)")
        }
    #endif

    @Test func aProcessWithASecondThreadIsNotConfinedByHalf() async throws {
        // This process has many.
        let error = #expect(throws: ConfinementError.self) {
            try Confinement(files: FileRules(), ports: .none).apply()
        }
        #expect(error?.step == "threads")
        #expect(error?.description.contains("--no-confinement") == true)
    }
}
