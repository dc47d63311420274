import CLinux
import Glibc
import Policy
import Sandbox
import SessionCore
import WorkerControl

/// Where things of sessions are. Derived from the two directories of the configuration and a session's UUID alone.
struct SessionDirectories: Sendable {
    let configuration: LauncherConfiguration
    /// `<state>/sessions`
    let sessions: Directory
    /// `<state>/journals`: sessions' logs, outside of what a session's own disk limit holds and of what it can see.
    let journals: Directory
    /// `<runtime>/w`
    let runtimes: Directory
    /// `<runtime>/launcher`: the launcher's own notes, which nobody else may write.
    let records: Directory
    /// `<state>/disks`: images of sessions' files, which nobody else may write. nil when rootless.
    let disks: Directory?

    init(_ configuration: LauncherConfiguration) throws(LaunchFailure) {
        self.configuration = configuration
        do {
            let (uid, gid) = configuration.fileOwner
            let state = try Directory(at: configuration.stateDirectory)
            sessions = try state.directory("sessions", owner: uid, group: gid).directory
            journals = try state.directory("journals", owner: uid, group: gid).directory
            disks =
                configuration.rootless
                ? nil : try state.directory("disks", owner: geteuid(), group: getegid()).directory
            let runtime = try Directory(at: configuration.runtimeDirectory)
            runtimes = try runtime.directory("w", owner: uid, group: gid).directory
            records = try runtime.directory("launcher", owner: geteuid(), group: getegid()).directory
        } catch {
            throw LaunchFailure(
                step: "directories", errno: error.errno, message: "\(error)",
                remedy: "let the state and the runtime directory belong to the service's user")
        }
    }

    /// Sessions of which there is data: their files, plain or in an image, or what was said in them. In the order of
    /// their ids.
    func kept(after: SessionID?) throws(LaunchFailure) -> [SessionID] {
        do throws(SystemError) {
            let images = try disks?.names().compactMap { DiskImage.session(of: $0) } ?? []
            let named = try (sessions.names() + journals.names()).compactMap { SessionID(parsing: $0) }
            let found = Set(images + named).map { (id: $0, text: $0.description) }.sorted { $0.text < $1.text }
            guard let first = after?.description else { return found.map(\.id) }
            return found.filter { $0.text > first }.map(\.id)
        } catch {
            throw LaunchFailure(
                step: "inventory", errno: error.errno, message: "\(error)",
                remedy: "see who owns \(configuration.stateDirectory), and what is in it")
        }
    }

    /// Makes, or finds, what a session needs on disk; with `overlay`, a place for what it changes of its system too. What
    /// a failing launch made, `undo` removes.
    func prepare(
        _ id: SessionID, range: UIDRange?, overlay: Bool, limits: ResourceLimits,
        undo: inout [@Sendable () -> Void]
    ) throws(LaunchFailure) -> PreparedDirectories {
        let name = id.description
        let (uid, gid) = configuration.fileOwner
        let tenant = range.map { ($0.host(1000), $0.host(1000)) } ?? (uid, gid)
        var step = "session directory"
        do {
            let (session, isNew) = try sessions.directory(name, owner: uid, group: gid)
            if isNew { undo.append { [sessions] in try? TreeRemoval.remove(name, in: sessions) } }
            step = "journal"
            let (journal, isFirst) = try journals.directory(name, owner: uid, group: gid)
            if isFirst { undo.append { [journals] in try? TreeRemoval.remove(name, in: journals) } }
            step = "session directory"
            let files = try SessionFiles.open(id, session: session, directories: self, limits: limits)
            if files.isNew, let disks { undo.append { try? DiskImage.remove(id, in: disks) } }
            if let mount = files.mount { undo.append { mount.detach() } }
            var held: [String: Directory] = [:]
            for part in ["workspace", "home"] + (overlay ? ["overlay"] : []) {
                step = part
                let (directory, made) = try files.root.directory(part, owner: tenant.0, group: tenant.1)
                if made, files.mount == nil { undo.append { try? TreeRemoval.remove(part, in: session) } }
                held[part] = directory
            }
            step = "runtime directory"
            try TreeRemoval.remove(name, in: runtimes)
            let (runtime, _) = try runtimes.directory(name, owner: uid, group: gid)
            undo.append { [runtimes] in try? TreeRemoval.remove(name, in: runtimes) }
            guard let home = held["home"], let workspace = held["workspace"] else {
                throw SystemError(call: "open \(session.path)", errno: ENOENT)
            }
            return PreparedDirectories(
                session: session, journal: journal, files: files, workspace: workspace, home: home,
                overlay: held["overlay"],
                runtime: runtime)
        } catch let failure as LaunchFailure {
            throw failure
        } catch {
            let error = error as? SystemError ?? SystemError(call: "\(error)", errno: EINVAL)
            throw LaunchFailure(
                step: step, errno: error.errno, message: "\(error)",
                remedy: error.errno == ENOSPC || error.errno == EDQUOT
                    ? "free space on the disk of \(configuration.stateDirectory)"
                    : "see who owns \(sessions.path)/\(name): a session keeps its uid range for its whole life")
        }
    }
}

/// The directories of one session, open.
struct PreparedDirectories {
    let session: Directory
    let journal: Directory
    let files: SessionFiles
    let workspace: Directory
    let home: Directory
    /// nil where the system is read-only.
    let overlay: Directory?
    let runtime: Directory
}

extension LauncherConfiguration {
    /// Whose the directories are that are not the tenant's.
    var fileOwner: (uid: UInt32, gid: UInt32) { rootless ? (geteuid(), getegid()) : (serviceUID, serviceGID) }
}
