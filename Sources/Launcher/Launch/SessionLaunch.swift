import CLinux
import Glibc
import Policy
import Sandbox
import SessionCore
import WorkerControl

/// One launch from request to running session. Whatever fails, everything done before it is undone, last first.
struct SessionLaunch {
    let directories: SessionDirectories
    let cgroups: CgroupParent
    let reaper: Reaper
    let images: ImageMounts

    private var configuration: LauncherConfiguration { directories.configuration }

    func run(_ request: LaunchRequest) throws(LaunchFailure) -> LaunchedSession {
        let checked = try CheckedLaunch(request, rootless: configuration.rootless)
        let id = request.sessionID
        if let record = LaunchRecord.read(id, in: directories.records) {
            guard !record.worker.runs, !record.sandbox.runs else {
                throw LaunchFailure(
                    step: "session", errno: EBUSY, message: "session \(id) has an incarnation that runs",
                    remedy: "clean it first")
            }
            try SessionCleaning(directories: directories, cgroups: cgroups).clean(id)
        }
        var undo: [@Sendable () -> Void] = []
        do throws(LaunchFailure) {
            return try start(checked, undo: &undo)
        } catch {
            for step in undo.reversed() { step() }
            throw error
        }
    }

    private func start(
        _ checked: CheckedLaunch, undo: inout [@Sendable () -> Void]
    ) throws(LaunchFailure) -> LaunchedSession {
        let request = checked.request
        let id = request.sessionID
        let prepared = try directories.prepare(
            id, range: checked.range, overlay: request.rules.system == .overlay, limits: request.rules.limits,
            undo: &undo)
        let copied = try request.filesOf.map { source throws(LaunchFailure) in
            try SessionCopy(directories: directories).run(from: source, into: prepared, range: checked.range)
        }
        let image = try SessionImage(mounts: images, rootless: configuration.rootless)
            .mount(request.rules, for: prepared.session)

        let leaf: CgroupLeaf
        let cgroupLimits: [EnforcedLimit]
        do { (leaf, cgroupLimits) = try cgroups.makeLeaf(id.description, limits: request.rules.limits) } catch {
            throw LaunchFailure(error)
        }
        undo.append { [cgroups] in
            try? leaf.end()
            cgroups.removeIfEmpty()
        }

        let sandbox: StartedSandbox
        let streams = request.kind == .structured ? try SessionStreams() : nil
        let specification = try specification(checked, prepared, image, leaf, streams)
        do { sandbox = try specification.start() } catch { throw LaunchFailure(error) }
        undo.append { sandbox.kill() }
        let limits = try LaunchLimits(
            request.rules, cgroup: cgroupLimits, inside: sandbox.process.pid, disk: prepared.files.limits
        ).met()

        let owner = configuration.fileOwner
        let home = try HomeMount.open(prepared.home, range: checked.range, uid: owner.uid, gid: owner.gid)
        let workspace = try HomeMount.open(prepared.workspace, range: checked.range, uid: owner.uid, gid: owner.gid)
        // Sandbox, home and workspace have their own mounts of it by now.
        prepared.files.mount?.detach()
        let start = WorkerStart(
            configuration: configuration, checked: checked, directories: prepared, sandbox: sandbox, home: home,
            workspace: workspace, freezer: leaf.freezer, streams: streams)
        let (worker, ready) = try start.spawn()
        undo.append { worker.kill() }

        try note(id, sandbox: sandbox.process, worker: worker, leaf: leaf, files: prepared.files)
        undo.append { [directories] in LaunchRecord.remove(id, in: directories.records) }

        try start.waitUntilReady(worker, ready)
        do { try sandbox.go() } catch { throw LaunchFailure(error) }
        // Only now: the command has inherited what a session's processes have.
        OutOfMemory.protect(sandbox.process.pid, .sandboxInit)
        reaper.adopt(sandbox.process)
        reaper.adopt(worker)
        var launched = LaunchedSession(
            workerPID: worker.pid, sandboxPID: sandbox.process.pid, limits: limits,
            cgroups: leaf.directories)
        launched.copied = copied ?? nil
        return launched
    }

    private func specification(
        _ checked: CheckedLaunch, _ prepared: PreparedDirectories, _ image: BuiltImage?, _ leaf: CgroupLeaf,
        _ streams: SessionStreams?
    ) throws(LaunchFailure) -> SandboxSpecification {
        let request = checked.request
        var specification = SandboxSpecification(
            identity: checked.range.map { .range(base: $0.base) } ?? .caller, initProgram: configuration.initProgram,
            workspace: prepared.workspace.path, home: prepared.home.path, startCommand: request.startCommand,
            claudeBinary: request.claudeBinary, rules: request.rules)
        specification.arguments += request.arguments ?? []
        specification.streams = streams?.inside
        specification.image = image
        specification.overlay = prepared.overlay?.path
        specification.environment = request.environment
        specification.managedSettings = request.managedSettings
        specification.columns = UInt16(request.size.cols)
        specification.rows = UInt16(request.size.rows)
        do {
            specification.cgroup = try leaf.entrance()
        } catch { throw LaunchFailure(error) }
        specification.whenBorn = { pid throws(SandboxError) in OutOfMemory.protect(pid, .session) }
        return specification
    }

    private func note(
        _ id: SessionID, sandbox: ChildProcess, worker: ChildProcess, leaf: CgroupLeaf, files: SessionFiles
    ) throws(LaunchFailure) {
        guard let sandboxNote = ProcessIdentity(pid: sandbox.pid),
            let workerNote = ProcessIdentity(pid: worker.pid)
        else {
            throw LaunchFailure(
                step: "record", errno: ESRCH, message: "/proc does not show the session's processes",
                remedy: "mount /proc, without hidepid for the launcher")
        }
        let record = LaunchRecord(
            sandbox: sandboxNote, worker: workerNote, cgroups: leaf.directories,
            // Of a mount that is nowhere else, the sandbox's own view.
            files: files.mount == nil ? files.root.path : nil)
        do { try record.write(id, in: directories.records) } catch {
            throw LaunchFailure(
                step: "record", errno: error.errno, message: "\(error)",
                remedy: "free space on the disk of \(configuration.runtimeDirectory)")
        }
    }
}

extension LaunchFailure {
    init(_ fault: CgroupFault) {
        self.init(step: fault.step, errno: fault.errno, message: fault.message, remedy: fault.remedy)
    }

    init(_ error: SandboxError) {
        self.init(step: error.step, errno: error.errno, message: error.message, remedy: error.remedy)
    }
}
