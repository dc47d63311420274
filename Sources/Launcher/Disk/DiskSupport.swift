import CLinux
import Glibc
import Sandbox

/// Whether this launcher can give a session a disk of its own.
enum DiskSupport {
    /// Why not, for a person; nil when it can.
    static func lack(_ configuration: LauncherConfiguration) -> String? {
        lack(rootless: configuration.rootless, mountsArePrivate: configuration.mountsArePrivate)
    }

    static func lack(rootless: Bool, mountsArePrivate: Bool) -> String? {
        if rootless { return "rootless: no filesystem can be mounted for a session" }
        guard mountsArePrivate else { return "the launcher has no mount namespace of its own" }
        guard DiskTool.make.path != nil else { return "mkfs.ext4 is not installed: apt-get install e2fsprogs" }
        let control = open("/dev/loop-control", O_RDWR | O_CLOEXEC)
        guard control >= 0 else {
            return "there are no loop devices here (/dev/loop-control: \(SystemError.reason(errno)))"
        }
        close(control)
        return nil
    }
}
