import CLinux
import Glibc
import Policy
import Sandbox
import WorkerControl

/// Opens a session's home, or its workspace, for its worker, which has another uid than the files in it: through a detached mount that
/// shows the tenant's files as the worker's and gives what the worker makes to the tenant. No capability is needed to
/// use it, and it is nowhere in the file system.
enum HomeMount {
    /// `range` nil (rootless): the files are the worker's own already.
    static func open(
        _ home: Directory, range: UIDRange?, uid: UInt32, gid: UInt32
    ) throws(LaunchFailure) -> OwnedDescriptor {
        guard let range else {
            do { return try home.open(".", flags: O_RDONLY | O_DIRECTORY) } catch { throw failure(error, home) }
        }
        let tenant = (uid: range.host(UInt16(SandboxLayout.uid)), gid: range.host(UInt16(SandboxLayout.gid)))
        do {
            let namespace = OwnedDescriptor(
                owning: try SystemError.check(
                    "user namespace", rk_single_id_namespace(tenant.uid, uid, tenant.gid, gid)))
            let tree = OwnedDescriptor(
                owning: try SystemError.check("open_tree", rk_open_tree(home.descriptor.number, "", false)))
            try SystemError.check(
                "mount_setattr",
                rk_set_mount(
                    tree.number, UInt64(RK_MOUNT_NO_SETUID | RK_MOUNT_NO_DEVICES | RK_MOUNT_NO_EXEC), namespace.number,
                    false))
            return try Directory(descriptor: tree, path: home.path).open(".", flags: O_RDONLY | O_DIRECTORY)
        } catch {
            throw failure(error, home)
        }
    }

    private static func failure(_ error: SystemError, _ home: Directory) -> LaunchFailure {
        LaunchFailure(
            step: "home mount", errno: error.errno, message: "cannot show \(home.path) to the worker: \(error)",
            remedy: error.errno == EINVAL
                ? "put the state directory on a file system with idmapped mounts: ext4, xfs, btrfs, or tmpfs since 6.3"
                : "run the launcher as root, or with --rootless")
    }
}
