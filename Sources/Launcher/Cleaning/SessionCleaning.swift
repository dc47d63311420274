import CLinux
import Glibc
import Policy
import Sandbox
import SessionCore
import WorkerControl

/// Ends and removes what incarnations left behind.
struct SessionCleaning {
    let directories: SessionDirectories
    let cgroups: CgroupParent

    /// How long killed processes may take to end, in milliseconds.
    private static let patience: Int32 = 5000

    /// Ends an incarnation: worker, sandbox, cgroup, runtime directory. Fine when there is none.
    func clean(_ id: SessionID) throws(LaunchFailure) {
        let record = LaunchRecord.read(id, in: directories.records)
        let leaves = [cgroups.leaf(id.description), record.flatMap(leaf)].compactMap { $0 }
        // The worker first: it would report the end of a sandbox that nobody wants to know of any more.
        try end(record?.worker, "worker")
        // Before one waits for the sandbox: it may be frozen, and then does not die of its signal alone.
        for leaf in leaves { leaf.kill() }
        try end(record?.sandbox, "sandbox")
        do {
            for leaf in leaves { try leaf.end() }
            if let record { cgroups.removeIfEmpty(above: record.cgroups) }
        } catch { throw LaunchFailure(error) }
        cgroups.removeIfEmpty()
        do { try TreeRemoval.remove(id.description, in: directories.runtimes) } catch {
            throw LaunchFailure(
                step: "clean runtime directory", errno: error.errno, message: "\(error)",
                remedy: "see who writes to \(directories.runtimes.path)")
        }
        removeDrafts(of: id)
        LaunchRecord.remove(id, in: directories.records)
        // The device of its disk went with its last process.
        if directories.disks != nil { WriteBound.liftUnused() }
    }

    /// What a launch was making when its launcher was killed.
    private func removeDrafts(of id: SessionID) {
        DiskMount.removePlace(of: id, in: directories.records)
        if let disks = directories.disks { Draft(of: id.description, in: disks).remove() }
        if let session = try? directories.sessions.directoryIfThere(id.description) {
            SessionImage.draft(in: session).remove()
        }
    }

    /// Removes what earlier launchers were making of any session. Before the first launch of one that holds the lock.
    func removeDrafts() {
        Draft.removeAll(in: directories.records)
        if let disks = directories.disks { Draft.removeAll(in: disks) }
        for id in DiskMount.sessions(in: directories.records) {
            DiskMount.removePlace(of: id, in: directories.records)
        }
        if directories.disks != nil { WriteBound.liftUnused() }
    }

    private func end(_ process: ProcessIdentity?, _ name: String) throws(LaunchFailure) {
        guard let process, !process.kill(within: Self.patience) else { return }
        throw LaunchFailure(
            step: "clean \(name)", errno: EBUSY, message: "pid \(process.pid) does not end",
            remedy: "it must finish its I/O first (state D); try again")
    }

    /// A launcher in another cgroup may have made it.
    private func leaf(_ record: LaunchRecord) -> CgroupLeaf? {
        guard !record.cgroups.isEmpty else { return nil }
        let kind: Cgroups.Kind = record.cgroups["unified"] == nil ? .v1 : .v2
        return CgroupLeaf(kind: kind, directories: record.cgroups)
    }

    /// Removes a session's directories. Fine when there are none.
    func remove(_ id: SessionID, keepWorkspace: Bool) throws(LaunchFailure) {
        let record = LaunchRecord.read(id, in: directories.records)
        guard record?.worker.runs != true, record?.sandbox.runs != true,
            cgroups.leaf(id.description).members.isEmpty
        else {
            throw LaunchFailure(
                step: "remove", errno: EBUSY, message: "session \(id) runs", remedy: "clean it first")
        }
        try clean(id)
        try removeImage(id, keepWorkspace: keepWorkspace)
        do {
            // What was said belongs to the session, whatever becomes of its files.
            try TreeRemoval.remove(id.description, in: directories.journals)
            guard let session = try directories.sessions.directoryIfThere(id.description) else { return }
            try TreeRemoval.empty(session, keep: keepWorkspace ? ["workspace"] : [])
            if !keepWorkspace { try TreeRemoval.remove(id.description, in: directories.sessions) }
        } catch {
            throw LaunchFailure(
                step: "remove", errno: error.errno, message: "\(error)",
                remedy: "see what holds the session's files, then delete it again")
        }
    }

    /// The image goes with all that is in it, or keeps the workspace alone.
    private func removeImage(_ id: SessionID, keepWorkspace: Bool) throws(LaunchFailure) {
        guard let disks = directories.disks else { return }
        do {
            if !keepWorkspace { return try DiskImage.remove(id, in: disks) }
            guard let image = try DiskImage.open(id, in: disks) else { return }
            let mount = try DiskMount(image, id, in: directories.records)
            defer { mount.detach() }
            try TreeRemoval.empty(mount.root, keep: ["workspace"])
        } catch let failure as LaunchFailure {
            throw failure
        } catch {
            throw LaunchFailure(
                step: "remove disk", errno: (error as? SystemError)?.errno ?? EINVAL, message: "\(error)",
                remedy: "see what holds the session's image, then delete it again")
        }
    }

    /// Every session that left debris and is not of `live`: processes, cgroups, sockets, notes, mounts, what was being
    /// made. Data is not looked at: whose that is, the registry says.
    func leftovers(live: [SessionID]) -> [SessionID] {
        let named = cgroups.leaves() + ((try? directories.runtimes.names()) ?? [])
        let drafts = Draft.names(in: directories.records) + (directories.disks.map(Draft.names) ?? [])
        let found = Set(
            (named + drafts).compactMap { SessionID(parsing: $0) } + LaunchRecord.sessions(in: directories.records)
                + DiskMount.sessions(in: directories.records))
        return found.subtracting(live).sorted { $0.description < $1.description }
    }
}
