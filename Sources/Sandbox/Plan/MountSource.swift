import Policy

/// A file or directory of the host that the inside sees, and how.
struct MountSource: Sendable, Hashable {
    /// On the host, without symbolic links.
    var path: String
    /// Inside.
    var place: String
    var isDirectory: Bool
    var attributes: MountAttributes
    /// With every mount below it.
    var recursive: Bool
    /// Root mode: what belongs to uid 0 on the host belongs to uid 0 inside (an idmapped mount), as far as the
    /// filesystem can do that. Else the ids are the host's: the session's own directories belong to its own range.
    var showsHostOwners: Bool
    /// Root mode: whose files on the host are shown as the command's own; nil: nobody's.
    var owner: HostOwner?
    /// Root mode: the ``owner`` is whoever owns the source on the host.
    var ownedByCommand = false

    /// Part of the image: nothing in it can be changed.
    static func image(_ path: String, at place: String, isDirectory: Bool) -> MountSource {
        MountSource(
            path: path, place: place, isDirectory: isDirectory, attributes: [.readOnly, .noSetuid, .noDevices],
            recursive: isDirectory, showsHostOwners: true)
    }

    /// A directory of the image below an overlay of the session's: what root owns in it is the command's own, which else
    /// could change nothing.
    static func lower(_ path: String, at place: String) -> MountSource {
        MountSource(
            path: path, place: place, isDirectory: true, attributes: [.readOnly, .noSetuid, .noDevices],
            recursive: false, showsHostOwners: false, owner: HostOwner(uid: 0, gid: 0))
    }

    /// A directory that the policy shows.
    static func policy(_ mount: PolicyMount) -> MountSource {
        MountSource(
            path: mount.source, place: mount.target, isDirectory: true,
            attributes: mount.writable ? [.noSetuid, .noDevices] : [.readOnly, .noSetuid, .noDevices], recursive: false,
            showsHostOwners: !mount.writable, ownedByCommand: mount.writable)
    }

    /// `/a` and `/a/b` of `/a/b/c`.
    static func parents(of path: String) -> [String] {
        let parts = path.split(separator: "/").dropLast()
        return parts.indices.map { "/" + parts[...$0].joined(separator: "/") }
    }

    /// A directory of the session.
    static func session(_ path: String, at place: String) -> MountSource {
        MountSource(
            path: path, place: place, isDirectory: true, attributes: [.noSetuid, .noDevices], recursive: false,
            showsHostOwners: false)
    }
}

/// Which object a source was when it was looked at.
struct MountSourceIdentity: Sendable, Hashable {
    var device: UInt64
    var inode: UInt64
}
