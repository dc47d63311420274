import CLinux
import Glibc
import Sandbox
import SessionCore
import Synchronization
import WorkerControl

/// A session's image, mounted where only the launcher sees it, for as long as its directories are being handed on. What
/// was copied from it (the sandbox's mounts, the worker's home) keeps it mounted; when the last of that is gone, the
/// kernel unmounts it and takes the loop device away.
final class DiskMount: Sendable {
    /// The root of the session's files.
    let root: Directory
    /// The number of its loop device.
    let device: UInt32
    private let parent: Directory
    private let name: String
    private let isAttached = Mutex(true)

    /// How long the mounts of a session that just ended may take to go, in milliseconds.
    private static let patience: Int32 = 5000

    /// - Parameter shared: whoever has it mounted may go on: it is mounted once more, to be read.
    init(
        _ image: DiskImage, _ id: SessionID, in parent: Directory, shared: Bool = false
    ) throws(LaunchFailure) {
        let name = Self.name(id)
        do throws(SystemError) {
            (root, device) = try Self.mount(image, at: name, in: parent, patience: shared ? 0 : Self.patience)
        } catch {
            throw DiskImage.failure(
                "disk", error,
                error.errno == ENXIO || error.errno == ENOENT
                    ? "give the launcher loop devices (/dev/loop-control, /dev/loop*)"
                    : "see the kernel log, and e2fsck of the session's image")
        }
        self.parent = parent
        self.name = name
    }

    private static let suffix = ".disk"

    private static func name(_ id: SessionID) -> String { "\(id)\(suffix)" }

    /// The sessions with a place to mount at: a launcher that was killed left it. The mount itself went with that
    /// launcher's namespace.
    static func sessions(in parent: Directory) -> [SessionID] {
        ((try? parent.names()) ?? []).compactMap {
            $0.hasSuffix(suffix) ? SessionID(parsing: $0.dropLast(suffix.count)) : nil
        }
    }

    /// Takes away what a launch that was not finished left. Fine when there is nothing.
    static func removePlace(of id: SessionID, in parent: Directory) {
        let place = name(id)
        guard faccessat(parent.descriptor.number, place, F_OK, AT_SYMLINK_NOFOLLOW) == 0 else { return }
        _ = rk_detach_mount("\(parent.path)/\(place)")
        _ = unlinkat(parent.descriptor.number, place, Int32(AT_REMOVEDIR))
    }

    private static func mount(
        _ image: DiskImage, at name: String, in parent: Directory, patience: Int32
    ) throws(SystemError) -> (Directory, UInt32) {
        let place = "\(parent.path)/\(name)"
        var index: UInt32 = 0
        // The mount holds the device from then on.
        let device = try device(of: image, &index, patience: patience)
        defer { withExtendedLifetime(device) {} }
        if mkdirat(parent.descriptor.number, name, 0o700) != 0, errno != EEXIST {
            throw SystemError(call: "mkdir \(place)", errno: errno)
        }
        do throws(SystemError) {
            try SystemError.check("mount /dev/loop\(index)", rk_loop_mount(index, place))
            return (try parent.directory(name), index)
        } catch {
            _ = rk_detach_mount(place)
            _ = unlinkat(parent.descriptor.number, name, Int32(AT_REMOVEDIR))
            throw error
        }
    }

    deinit { detach() }

    /// Takes the mount away here; copies stay.
    func detach() {
        let wasAttached = isAttached.withLock { attached in
            defer { attached = false }
            return attached
        }
        guard wasAttached else { return }
        _ = rk_detach_mount("\(parent.path)/\(name)")
        _ = unlinkat(parent.descriptor.number, name, Int32(AT_REMOVEDIR))
    }

    /// The device of an image that is still in use is taken again: a second one of the same file would tear the
    /// filesystem apart.
    private static func device(
        of image: DiskImage, _ index: inout UInt32, patience: Int32
    ) throws(SystemError) -> OwnedDescriptor {
        var waited: Int32 = 0
        while true {
            let found = rk_loop_find(image.file.number, &index)
            if found >= 0 {
                let device = OwnedDescriptor(owning: found)
                if waited >= patience { return device }
            } else {
                guard found == -ENOENT else { throw SystemError(call: "look for a loop device", errno: -found) }
                try image.repairIfNeeded()
                return OwnedDescriptor(
                    owning: try SystemError.check("loop device", rk_loop_attach(image.file.number, &index)))
            }
            usleep(5000)
            waited += 5
        }
    }
}
