import CLinux
import Glibc
import Policy

extension SandboxSpecification {
    /// Makes the sandbox up to the point where its command could be executed. Blocks the calling thread for some
    /// milliseconds, at most ``patience`` for each answer. On failure no process, mount or file of it is left.
    public func start() throws(SandboxError) -> StartedSandbox {
        let launch = try SandboxLaunch(specification: checked())
        return try launch.run()
    }

    /// What ``start()`` would do on this host, for a person to read.
    public func explanation() throws(SandboxError) -> String {
        try SandboxLaunch(specification: checked()).explanation
    }
}

/// One launch: everything that is opened for it closes with it.
struct SandboxLaunch {
    let specification: SandboxSpecification
    let image: SystemImage
    let sources: [PinnedSource]
    /// A prepared tree's copy.
    private let tree: OwnedDescriptor?
    let programs: SeccompPrograms
    private let capabilities: Capabilities
    private let devices: [String]
    private let listenerAddress: String
    /// Rootless alone.
    let subordinateIDs: SubordinateIDs?

    private var rootless: Bool { specification.identity == .caller }

    init(specification: SandboxSpecification) throws(SandboxError) {
        self.listenerAddress =
            specification.rules.network == .host ? Self.ownLoopbackAddress : SandboxLayout.listenerAddress
        self.specification = specification.listening(at: listenerAddress)
        self.programs = try SeccompPrograms.compiled(for: specification.rules.seccomp)
        self.capabilities = try Capabilities(specification.rules.capabilities)
        self.devices = try Devices.checked(specification.rules.devices)
        (self.image, self.tree) = try Self.image(for: specification, devices: Devices.standard + devices)
        self.subordinateIDs = specification.identity == .caller ? .ofCaller() : nil
        var sources: [PinnedSource] = []
        for source in PlanComposer.sources(of: specification, image: image) {
            sources.append(try PinnedSource(source, rootless: specification.identity == .caller))
        }
        self.sources = sources
    }

    /// The host's image comes as one tree where that can be: for a sandbox that changes nothing of it, by root.
    private static func image(
        for specification: SandboxSpecification, devices: [String]
    ) throws(SandboxError) -> (SystemImage, OwnedDescriptor?) {
        if let image = specification.image { return (.built(image.layout), nil) }
        let (host, look) = HostImage.latestLook()
        guard case .range(let base) = specification.identity, specification.overlay == nil else {
            return (.host(host), nil)
        }
        let layout = PreparedTree.Layout(
            host: host, look: look, targets: specification.rules.mounts.map(\.target), devices: devices,
            coversLocalPrograms: specification.claudeBinary != nil)
        let tree = PreparedTree.copy(of: layout, rootAlone: try RootAlone.namespace(base: base))
        return tree == nil ? (.host(host), nil) : (.prepared(layout), tree)
    }

    func plan() -> LaunchPlan {
        var composer = PlanComposer(
            specification: specification, image: image, sources: sources.map(\.source),
            identities: rootless ? sources.map(\.identity) : nil)
        composer.capabilities = capabilities
        composer.devices = devices
        composer.listenerAddress = listenerAddress
        composer.landlock = Landlock.version > 0
        composer.mapsRoot = !rootless || subordinateIDs != nil
        return composer.compose()
    }

    func run() throws(SandboxError) -> StartedSandbox {
        let pipes: LauncherEnds
        let process: ChildProcess
        do {
            let ends: InitEnds
            (pipes, ends) = try connect()
            process = try spawn(ends)
            // rookery-init's ends close here: or its own end would not show as the end of the conversation.
        }
        let conversation = InitConversation(
            socket: pipes.control, rootless: rootless, patience: specification.patience)
        do throws(SandboxError) {
            try specification.whenBorn(process.pid)
            try mapIdentities(of: process.pid)
            try conversation.say("maps", descriptors: mounts(for: process.pid))
            return try setUp(process, conversation, pipes)
        } catch {
            // The maps of a process that is about to end cannot be written: then that is what went wrong.
            let ended = error.step == "id-map" ? try? process.waitForExit(milliseconds: 100) : nil
            process.kill()
            throw ended == nil ? error : Self.initEnded
        }
    }

    private static let initEnded = SandboxError(
        step: "init", errno: 0, message: "rookery-init ended during the set-up",
        remedy: "it was killed, or it is of another version than the launcher: install both together")

    // MARK: Steps

    private func connect() throws(SandboxError) -> (LauncherEnds, InitEnds) {
        let plan = try plan().encoded()
        do throws(SystemError) {
            let (control, initControl) = try DescriptorMessages.socketPair(type: Int32(SOCK_SEQPACKET.rawValue))
            let leash = try DescriptorMessages.pipe()
            let status = try DescriptorMessages.pipe()
            let (violations, initViolations) = try DescriptorMessages.socketPair(type: Int32(SOCK_SEQPACKET.rawValue))
            return (
                LauncherEnds(control: control, leash: leash.write, status: status.read, violations: violations),
                InitEnds(
                    control: initControl, plan: try DescriptorMessages.sealedMemory(named: "rookery-plan", plan),
                    leash: leash.read, status: status.write, violations: initViolations)
            )
        } catch {
            throw SandboxError(
                step: "pipes", errno: error.errno, message: "\(error)",
                remedy: "raise the launcher's limit of open files")
        }
    }

    private func spawn(_ ends: InitEnds) throws(SandboxError) -> ChildProcess {
        var spawn: Spawn
        do throws(SystemError) {
            spawn = Spawn(
                program: try Spawn.open(program: specification.initProgram), arguments: ["rookery-init"],
                descriptors: [
                    ends.control, ends.plan, ends.leash, ends.status, programs.arguments, programs.calls,
                    programs.initProcess, ends.violations,
                ])
            spawn.directory = try Spawn.open(program: "/")
            spawn.standardInput = specification.streams?.input
            spawn.standardOutput = specification.streams?.output
            spawn.standardError = specification.streams?.error
        } catch {
            throw SandboxError(
                step: "init", errno: error.errno, message: "\(error)",
                remedy: "rookery-init must lie beside rookery-launcher; build or install it again")
        }
        // The time and cgroup namespaces come later: rookery-init makes them itself.
        spawn.namespaces = UInt64(RK_NEW_USER | RK_NEW_MOUNT | RK_NEW_PID | RK_NEW_IPC | RK_NEW_UTS)
        if specification.rules.network != .host { spawn.namespaces |= UInt64(RK_NEW_NET) }
        spawn.cgroup = specification.cgroup
        do {
            return try spawn.start()
        } catch {
            let cloning = error.stage == "clone3"
            throw SandboxError(
                step: cloning ? "clone" : "init \(error.stage)", errno: error.errno,
                message: cloning ? "making the namespaces: \(error)" : "starting rookery-init: \(error)",
                remedy: cloning ? Remedy.clone(errno: error.errno, rootless: rootless) : "")
        }
    }

    private func mapIdentities(of pid: Int32) throws(SandboxError) {
        if let subordinateIDs { return try subordinateIDs.map(pid) }
        do throws(SystemError) {
            switch specification.identity {
            case .range(let base):
                try HostPath.write("0 \(base) 65536\n", to: "/proc/\(pid)/uid_map")
                try HostPath.write("0 \(base) 65536\n", to: "/proc/\(pid)/gid_map")
            case .caller:
                try HostPath.write("deny", to: "/proc/\(pid)/setgroups")
                try HostPath.write("1000 \(geteuid()) 1\n", to: "/proc/\(pid)/uid_map")
                try HostPath.write("1000 \(getegid()) 1\n", to: "/proc/\(pid)/gid_map")
            }
        } catch {
            throw SandboxError(
                step: "id-map", errno: error.errno, message: "\(error)",
                remedy: rootless
                    ? Remedy.userNamespaces(rootless: true) : "the launcher needs CAP_SETUID and CAP_SETGID")
        }
    }

    private func mounts(for pid: Int32) throws(SandboxError) -> [OwnedDescriptor] {
        guard case .range(let base) = specification.identity else { return [] }
        // Of the host's ids root alone is shown as itself, so that what only another user of the host may read stays
        // unreadable.
        let rootAlone = try RootAlone.namespace(base: base)
        var mounts: [OwnedDescriptor] = []
        if let image = specification.image { mounts.append(try show(image, rootAlone)) }
        if let tree { mounts.append(tree) }
        for source in sources { mounts.append(try mount(source, rootAlone)) }
        return mounts
    }

    private func mount(
        _ source: PinnedSource, _ rootAlone: OwnedDescriptor
    ) throws(SandboxError) -> OwnedDescriptor {
        guard let owner = source.source.owner, case .range(let base) = specification.identity else {
            return try source.mount(rootAlone: rootAlone)
        }
        return try source.mount(owner: owner, shownAs: base + SandboxLayout.uid)
    }

    /// What root owns in the image is root's inside too; below an overlay it is the command's.
    private func show(
        _ image: BuiltImage, _ userNamespace: OwnedDescriptor
    ) throws(SandboxError) -> OwnedDescriptor {
        let attributes: MountAttributes = [.readOnly, .noSetuid, .noDevices]
        var namespace = userNamespace
        if specification.overlay != nil, case .range(let base) = specification.identity {
            let id = base + SandboxLayout.uid
            let number = rk_single_id_namespace(0, id, 0, id)
            guard number >= 0 else { throw imageFailure(image, "user namespace", -number) }
            namespace = OwnedDescriptor(owning: number)
        }
        let result = withExtendedLifetime(namespace) {
            rk_set_mount(image.mount.number, attributes.rawValue, namespace.number, false)
        }
        if result >= 0 { return image.mount }
        // This kernel has no idmapped squashfs: files then look as if nobody owned them, which does no harm, but leaves
        // an overlay nothing that could be changed.
        guard specification.overlay == nil else { throw imageFailure(image, "mount_setattr", -result) }
        let plain = rk_set_mount(image.mount.number, attributes.rawValue, -1, false)
        guard plain >= 0 else { throw imageFailure(image, "mount_setattr", -plain) }
        return image.mount
    }

    private func imageFailure(_ image: BuiltImage, _ call: String, _ errno: Int32) -> SandboxError {
        SandboxError(
            step: "image", errno: errno, message: "\(call) for the image '\(image.name)': \(SystemError.reason(errno))",
            remedy: errno == EINVAL
                ? "this kernel has no idmapped squashfs (Linux 6.2 does): use 'system: read-only'" : "")
    }

    private func setUp(
        _ process: ChildProcess, _ conversation: InitConversation, _ pipes: LauncherEnds
    ) throws(SandboxError) -> StartedSandbox {
        var terminal: OwnedDescriptor?
        var listener: OwnedDescriptor?
        while let message = try conversation.hear() {
            switch message.word {
            case "pty": terminal = message.descriptor
            case "listener": listener = message.descriptor
            case "ready":
                guard let terminal, listener != nil || specification.rules.network == .none else {
                    throw SandboxError(step: "init", errno: EPROTO, message: "no terminal or no listener came")
                }
                return StartedSandbox(
                    process: process, terminal: terminal, listener: listener, leash: pipes.leash,
                    status: pipes.status, violations: pipes.violations, conversation: conversation)
            default:
                throw SandboxError(step: "init", errno: EPROTO, message: "rookery-init said '\(message.word)'")
            }
        }
        throw Self.initEnded
    }
}

/// The launcher's and the worker's ends of what connects them with rookery-init.
private struct LauncherEnds {
    let control: OwnedDescriptor
    let leash: OwnedDescriptor
    let status: OwnedDescriptor
    let violations: OwnedDescriptor
}

/// rookery-init's own ends.
private struct InitEnds {
    let control: OwnedDescriptor
    let plan: OwnedDescriptor
    let leash: OwnedDescriptor
    let status: OwnedDescriptor
    let violations: OwnedDescriptor
}
