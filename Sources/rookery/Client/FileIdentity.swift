import CLinux
import Foundation

/// What a path leads to, links followed.
struct FileIdentity {
    var uid: uid_t
    var gid: gid_t
    /// Permission bits alone.
    var permissions: UInt32
    var isDirectory: Bool
    var isSocket: Bool

    /// nil when there is nothing, or it cannot be asked.
    init?(_ path: String) {
        let descriptor = rk_open(AT_FDCWD, path, UInt64(RK_OPEN_PATH), 0, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var identity = rk_identity()
        guard rk_identify(descriptor, &identity) >= 0 else { return nil }
        uid = identity.uid
        gid = identity.gid
        permissions = identity.mode & 0o7777
        isDirectory = identity.mode & 0o170000 == 0o040000
        isSocket = identity.mode & 0o170000 == 0o140000
    }
}
