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
        // The worker first: it would report the end of a sandbox that nobody wants to know of any more.
        for (name, process) in [("worker", record?.worker), ("sandbox", record?.sandbox)] {
            guard let process, !process.kill(within: Self.patience) else { continue }
            throw LaunchFailure(
                step: "clean \(name)", errno: EBUSY, message: "pid \(process.pid) does not end",
                remedy: "it must finish its I/O first (state D); try again")
        }
        do {
            try cgroups.leaf(id.description).end()
            if let record, !record.cgroups.isEmpty {
                try CgroupLeaf(kind: cgroups.cgroups.kind, directories: record.cgroups).end()
                cgroups.removeIfEmpty(above: record.cgroups)
            }
        } catch { throw LaunchFailure(error) }
        cgroups.removeIfEmpty()
        do { try TreeRemoval.remove(id.description, in: directories.runtimes) } catch {
            throw LaunchFailure(
                step: "clean runtime directory", errno: error.errno, message: "\(error)",
                remedy: "see who writes to \(directories.runtimes.path)")
        }
        LaunchRecord.remove(id, in: directories.records)
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
        do {
            guard let session = try directories.sessions.directoryIfThere(id.description) else { return }
            try TreeRemoval.empty(session, keep: keepWorkspace ? ["workspace"] : [])
            if !keepWorkspace { try TreeRemoval.remove(id.description, in: directories.sessions) }
        } catch {
            throw LaunchFailure(
                step: "remove", errno: error.errno, message: "\(error)",
                remedy: "see what holds the session's files, then delete it again")
        }
    }

    /// Every session that left something which is not of `live`.
    func leftovers(live: [SessionID]) -> [SessionID] {
        let named = cgroups.leaves() + ((try? directories.runtimes.names()) ?? [])
        let found = Set(named.compactMap { SessionID(parsing: $0) } + LaunchRecord.sessions(in: directories.records))
        return found.subtracting(live).sorted { $0.description < $1.description }
    }
}
