import CLinux
import Glibc
import Policy
import Sandbox
import SessionCore
import WorkerControl

/// syncfs(2), a GNU extension that the Glibc module does not show.
@_silgen_name("syncfs")
private func syncFileSystem(_ descriptor: Int32) -> Int32

/// Puts a copy of one session's workspace and home into another's, once: a session that forks.
struct SessionCopy {
    let directories: SessionDirectories

    /// Beside workspace and home, where nothing of the sandbox comes: what was to be copied is there, whole. It goes where
    /// they go: without it they are emptied and copied again.
    private static let mark = "copied"
    private static let parts = ["workspace", "home"]

    /// - Parameter range: of the session that gets the copy; nil when rootless.
    /// - Returns: nil when it was copied before.
    func run(
        from source: SessionID, into prepared: PreparedDirectories, range: UIDRange?
    ) throws(LaunchFailure) -> CopiedFiles? {
        let place = prepared.files.root
        if faccessat(place.descriptor.number, Self.mark, F_OK, AT_SYMLINK_NOFOLLOW) == 0 { return nil }
        let (root, mount) = try files(of: source)
        defer { mount?.detach() }
        let stillness = SessionStillness(of: source, in: directories.records)
        stillness.wait()
        do throws(SystemError) {
            let wasStill = stillness.holds
            var copy = TreeCopy()
            for (name, target) in zip(Self.parts, [prepared.workspace, prepared.home]) {
                let original = try root.directory(name)
                if let range { copy.owners = try owners(of: original, for: range) }
                // A copy that a killed launcher had begun.
                try TreeRemoval.empty(target)
                try copy.copy(original, into: target)
            }
            let atRest = wasStill && stillness.holds
            // On the disk before it counts as whole.
            for target in [prepared.workspace, prepared.home]
            where syncFileSystem(target.descriptor.number) != 0 {
                throw SystemError(call: "syncfs \(target.path)", errno: errno)
            }
            try withExtendedLifetime(try place.open(Self.mark, flags: O_WRONLY | O_CREAT, mode: 0o600)) {
                () throws(SystemError) in
                guard fsync(place.descriptor.number) == 0 else {
                    throw SystemError(call: "fsync \(place.path)", errno: errno)
                }
            }
            var copied = copy.copied
            copied.atRest = atRest
            return copied
        } catch {
            throw LaunchFailure(
                step: "copy files", errno: error.errno, message: "cannot copy the files of session \(source): \(error)",
                remedy: error.errno == ENOSPC || error.errno == EDQUOT
                    ? "have it delete what it does not need: the copy must fit into the policy's disk"
                    : "see that session \(source) is there and what it has in its workspace and home")
        }
    }

    /// Where its workspace and home are, whether it runs or not.
    private func files(of id: SessionID) throws(LaunchFailure) -> (root: Directory, mount: DiskMount?) {
        if let disks = directories.disks, let image = try DiskImage.open(id, in: disks) {
            let mount = try DiskMount(image, id, in: directories.records, shared: true)
            return (mount.root, mount)
        }
        do { return (try directories.sessions.directory(id.description), nil) } catch {
            throw LaunchFailure(
                step: "copy files", errno: error.errno, message: "session \(id) has no files here: \(error)",
                remedy: "it was deleted; delete the session that was to begin with its files too")
        }
    }

    /// Every session's files belong to a range of uids of its own; the directory itself to its user, 1000 inside.
    private func owners(of original: Directory, for range: UIDRange) throws(SystemError) -> TreeCopy.Owners {
        let owner = try original.identity().uid
        guard owner >= UIDRange.first,
            let former = UIDRange(slot: Int((owner - UIDRange.first) / UIDRange.count))
        else { throw SystemError(call: "\(original.path) belongs to uid \(owner), no session's", errno: EPERM) }
        return TreeCopy.Owners(from: former, to: range)
    }
}
