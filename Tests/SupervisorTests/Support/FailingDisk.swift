import Foundation
import Glibc

/// An ext4 file system whose disk takes nothing new when told so: its device lies on a small file system that is then
/// full, and what the kernel says of that to whoever writes above is EIO. For root alone.
struct FailingDisk: Sendable {
    /// Where it is mounted.
    let path: String
    private let below: String
    private var image: String { "\(below)/disk" }
    private var ballast: String { "\(below)/ballast" }

    static let isPossible =
        geteuid() == 0 && access("/dev/loop-control", F_OK) == 0 && access("/sbin/mkfs.ext4", X_OK) == 0

    /// - Parameter path: an empty directory.
    init(at path: String) throws {
        self.path = path
        below = "\(path).below"
        mkdir(below, 0o700)
        do {
            try Self.run("/bin/mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", below)
            try Self.run("/usr/bin/truncate", "-s", "256M", image)
            // What is made without a journal goes on after an error; with one it would be read-only from then on.
            try Self.run("/sbin/mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-E", "nodiscard", image)
            try mountAgain()
        } catch {
            remove()
            throw error
        }
    }

    private func mountAgain() throws { try Self.run("/bin/mount", "-o", "loop,errors=continue", image, path) }

    /// From now on nothing that needs a new block can be written.
    func fail() throws {
        let file = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw POSIXError(.EIO) }
        defer { close(file) }
        for size in [1 << 20, 4096] {
            let block = [UInt8](repeating: 1, count: size)
            while write(file, block, size) > 0 {}
        }
    }

    /// The disk is whole again.
    func mend() { unlink(ballast) }

    /// Forgets what the kernel remembers of it: what is read then is what the disk has. Nothing may have it open.
    func remount() throws {
        try Self.run("/bin/umount", path)
        try mountAgain()
    }

    func remove() {
        mend()
        umount2(path, Int32(MNT_DETACH))
        umount2(below, Int32(MNT_DETACH))
        rmdir(below)
    }

    private static func run(_ program: String, _ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw POSIXError(.EIO) }
    }
}
