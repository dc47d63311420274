import CLinux
import Glibc
import Sandbox
import SessionCore
import WorkerControl

/// Where things of sessions are. Derived from the two directories of the configuration and a session's UUID alone.
struct SessionDirectories: Sendable {
    let configuration: LauncherConfiguration
    /// `<state>/sessions`
    let sessions: Directory
    /// `<runtime>/w`
    let runtimes: Directory
    /// `<runtime>/launcher`: the launcher's own notes, which nobody else may write.
    let records: Directory

    init(_ configuration: LauncherConfiguration) throws(LaunchFailure) {
        self.configuration = configuration
        do {
            let (uid, gid) = configuration.fileOwner
            sessions = try Directory(at: configuration.stateDirectory).directory("sessions", owner: uid, group: gid)
                .directory
            let runtime = try Directory(at: configuration.runtimeDirectory)
            runtimes = try runtime.directory("w", owner: uid, group: gid).directory
            records = try runtime.directory("launcher", owner: geteuid(), group: getegid()).directory
        } catch {
            throw LaunchFailure(
                step: "directories", errno: error.errno, message: "\(error)",
                remedy: "let the state and the runtime directory belong to the service's user")
        }
    }

    /// Makes, or finds, what a session needs on disk; with `overlay`, a place for what it changes of its system too. What a failing launch made, `undo` removes.
    func prepare(
        _ id: SessionID, range: UIDRange?, overlay: Bool, undo: inout [@Sendable () -> Void]
    ) throws(LaunchFailure) -> PreparedDirectories {
        let name = id.description
        let (uid, gid) = configuration.fileOwner
        let tenant = range.map { ($0.host(1000), $0.host(1000)) } ?? (uid, gid)
        var step = "session directory"
        do throws(SystemError) {
            let (session, isNew) = try sessions.directory(name, owner: uid, group: gid)
            if isNew { undo.append { [sessions] in try? TreeRemoval.remove(name, in: sessions) } }
            var held: [String: Directory] = [:]
            for part in ["workspace", "home"] + (overlay ? ["overlay"] : []) {
                step = part
                let (directory, made) = try session.directory(part, owner: tenant.0, group: tenant.1)
                if made { undo.append { try? TreeRemoval.remove(part, in: session) } }
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
                session: session, workspace: workspace, home: home, overlay: held["overlay"], runtime: runtime)
        } catch {
            throw LaunchFailure(
                step: step, errno: error.errno, message: "\(error)",
                remedy: error.errno == ENOSPC || error.errno == EDQUOT
                    ? "free space on the disk of \(configuration.stateDirectory)"
                    : "see who owns \(sessions.path)/\(name): a session keeps its uid range for its whole life")
        }
    }
}

/// The directories of one session, open.
struct PreparedDirectories: Sendable {
    let session: Directory
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
