import CLinux
import Glibc

/// A source opened before anything of the sandbox runs: from here on its path does not matter.
struct PinnedSource: Sendable {
    var source: MountSource
    var descriptor: OwnedDescriptor
    var identity: MountSourceIdentity

    init(_ source: MountSource, rootless: Bool) throws(SandboxError) {
        let step = "mount \(source.place)"
        let refusals = UInt64(RK_RESOLVE_NO_SYMLINKS | RK_RESOLVE_NO_MAGIC_LINKS)
        let result = rk_open(AT_FDCWD, source.path, UInt64(RK_OPEN_PATH), 0, refusals)
        guard result >= 0 else {
            throw SandboxError(
                step: step, errno: -result, message: "opening \(source.path): \(SystemError.reason(-result))",
                remedy: Remedy.source(source.path, errno: -result))
        }
        self.source = source
        self.descriptor = OwnedDescriptor(owning: result)
        var identity = rk_identity()
        let identified = rk_identify(descriptor.number, &identity)
        guard identified >= 0 else {
            throw SandboxError(
                step: step, errno: -identified, message: "\(source.path): \(SystemError.reason(-identified))")
        }
        let kind = mode_t(identity.mode) & S_IFMT
        guard kind == (source.isDirectory ? S_IFDIR : S_IFREG) else {
            throw SandboxError(
                step: step, errno: source.isDirectory ? ENOTDIR : EISDIR,
                message: "\(source.path) is not a \(source.isDirectory ? "directory" : "regular file")",
                remedy: "correct the path in the configuration")
        }
        self.identity = MountSourceIdentity(device: identity.device, inode: identity.inode)
        if source.ownedByCommand, !rootless {
            // What the command makes there belongs to this owner, set-user-id files too: that must not be root.
            guard identity.uid != 0 else {
                throw SandboxError(
                    step: step, errno: EPERM, message: "\(source.path) belongs to root, and the session could write it",
                    remedy: "chown it to an ordinary user, or show it read-only")
            }
            self.source.owner = HostOwner(uid: identity.uid, gid: identity.gid)
        }
    }

    /// Root mode: a detached mount of the source with its attributes. Of an image's files root's are shown as root's,
    /// through the id maps of `rootAlone`, where the filesystem can do that.
    func mount(rootAlone: OwnedDescriptor) throws(SandboxError) -> OwnedDescriptor {
        if source.showsHostOwners {
            let tree = try clone()
            let shown = withExtendedLifetime(rootAlone) {
                rk_set_mount(tree.number, source.attributes.rawValue, rootAlone.number, source.recursive)
            }
            if shown >= 0 { return tree }
            // The filesystem has no idmapped mounts: files then look as if nobody owned them, which does no harm.
        }
        return try detached()
    }

    /// Root mode: the same with the host's ids.
    func detached() throws(SandboxError) -> OwnedDescriptor {
        let tree = try clone()
        let result = rk_set_mount(tree.number, source.attributes.rawValue, -1, source.recursive)
        guard result >= 0 else { throw failure("mount_setattr", -result) }
        return tree
    }

    /// Root mode: a detached mount that shows the owner's files as those of another id, and makes new ones the owner's.
    func mount(owner: HostOwner, shownAs id: UInt32) throws(SandboxError) -> OwnedDescriptor {
        let namespace = rk_single_id_namespace(owner.uid, id, owner.gid, id)
        guard namespace >= 0 else { throw failure("user namespace for", -namespace) }
        let userNamespace = OwnedDescriptor(owning: namespace)
        let tree = try clone()
        let result = withExtendedLifetime(userNamespace) {
            rk_set_mount(tree.number, source.attributes.rawValue, userNamespace.number, source.recursive)
        }
        guard result >= 0 else { throw failure("mount_setattr", -result) }
        return tree
    }

    private func clone() throws(SandboxError) -> OwnedDescriptor {
        let tree = rk_open_tree(descriptor.number, "", source.recursive)
        guard tree >= 0 else { throw failure("open_tree", -tree) }
        return OwnedDescriptor(owning: tree)
    }

    private func failure(_ call: String, _ errno: Int32) -> SandboxError {
        SandboxError(
            step: "mount \(source.place)", errno: errno,
            message: "\(call) \(source.path): \(SystemError.reason(errno))",
            remedy: errno == EPERM ? "the launcher needs CAP_SYS_ADMIN on the host, or run it rootless" : "")
    }
}
