import Policy

/// Writes the launch plan of a specification: the order of steps is that of the sandbox contract, and it counts.
struct PlanComposer {
    let specification: SandboxSpecification
    let image: SystemImage
    /// In the order of their slots, which come after those of the image.
    let sources: [MountSource]
    /// Rootless: what each source was; rookery-init opens the sources itself, since the mount of another mount
    /// namespace cannot be copied. nil in root mode: the launcher sends them.
    let identities: [MountSourceIdentity]?
    /// Whether there is an id 0 inside, which rookery-init then is.
    var mapsRoot = true

    /// What the command keeps.
    var capabilities = Capabilities.none
    /// Devices of the host beyond the standard ones.
    var devices: [String] = []
    /// Where the listener is.
    var listenerAddress = SandboxLayout.listenerAddress
    /// Whether this kernel has Landlock.
    var landlock = false

    private(set) var steps: [LaunchPlan.Step] = []
    private(set) var slots: Int

    /// The image's parts first, then the session's, so that parents are mounted before what lies in them.
    static func sources(of specification: SandboxSpecification, image: SystemImage) -> [MountSource] {
        var sources: [MountSource] = []
        if case .host(let host) = image {
            sources = host.entries.compactMap { entry in
                switch entry {
                case .directory(let path) where specification.overlay != nil && Self.isSystemDirectory(path):
                    .lower(path, at: path)
                case .directory(let path): .image(path, at: path, isDirectory: true)
                case .file(let path): .image(path, at: path, isDirectory: false)
                case .link: nil
                }
            }
        }
        if let overlay = specification.overlay { sources.append(.session(overlay, at: Self.overlayPlace)) }
        var workspace = MountSource.session(specification.workspace, at: SandboxLayout.workspace)
        workspace.owner = specification.workspaceOwner
        sources.append(workspace)
        sources.append(.session(specification.home, at: SandboxLayout.home))
        sources += specification.rules.mounts.map(MountSource.policy)
        sources.append(.image(specification.startCommand, at: SandboxLayout.startCommand, isDirectory: false))
        if let claude = specification.claudeBinary {
            sources.append(.image(claude, at: SandboxLayout.claude, isDirectory: false))
        }
        return sources
    }

    init(
        specification: SandboxSpecification, image: SystemImage, sources: [MountSource],
        identities: [MountSourceIdentity]?
    ) {
        self.specification = specification
        self.image = image
        self.sources = sources
        self.identities = identities
        self.mapsRoot = identities == nil
        self.slots = Self.imageSlots(of: image) + sources.count
    }

    mutating func compose() -> LaunchPlan {
        add(.time)
        add(.identity(root: mapsRoot))
        add(.makePrivate)
        pinSources()
        makeRoot()
        mountImage()
        writeFiles()
        mountSession()
        detachSources()
        makeDevices()
        mountProc()
        add(.pivot)
        add(.hostname(specification.hostname))
        reachNetwork()
        add(.keyring)
        setLimits()
        add(.privileges(keeping: capabilities))
        restrictFiles()
        describeCommand()
        return LaunchPlan(steps: steps)
    }

    mutating func add(_ step: LaunchPlan.Step) { steps.append(step) }

    /// Copies the mount at a path of the inside to another.
    mutating func mountAgain(_ path: String, at place: String, as kind: LaunchPlan.Place) {
        add(.clone(path))
        add(.mount(slot: slots, path: place, place: kind))
        slots += 1
    }

    private mutating func pinSources() {
        guard let identities else { return }
        for (source, identity) in zip(sources, identities) {
            // A copy must take the mounts below along: they are locked for a user namespace of its own.
            add(
                .pin(
                    path: source.path, device: identity.device, inode: identity.inode, attributes: source.attributes,
                    recursive: source.isDirectory))
        }
    }

    /// Slots of the image are the first ones.
    private mutating func mountSession() {
        let overlaid = specification.overlay != nil
        let covers = specification.claudeBinary != nil && !overlaid && coversLocalPrograms
        if covers { makeLocalPrograms() }
        let temporary = specification.limits.temporary.bytes
        add(.tmpfs("/tmp", bytes: temporary, inodes: inodes(for: temporary), mode: 0o1777, owner: .agent))
        add(.tmpfs("/run/user/1000", bytes: 16 << 20, inodes: 4096, mode: 0o700, owner: .agent))
        for (index, source) in sources.enumerated() where !isMountedWithImage(source) {
            if specification.rules.mounts.contains(where: { $0.target == source.place }) {
                for parent in MountSource.parents(of: source.place) {
                    add(.directory(parent, mode: 0o755, owner: .root))
                }
            }
            let slot = Self.imageSlots(of: image) + index
            add(.mount(slot: slot, path: source.place, place: source.isDirectory ? .directory : .file))
        }
        if covers { add(.readOnly(HostImage.localProgramDirectory)) }
    }

    /// /usr is the host's and cannot take a new file: its /usr/local/bin is covered by a directory with the same
    /// programs, each a mount of its own so that it still lies where it was installed, and a place for Claude Code.
    private mutating func makeLocalPrograms() {
        guard case .host(let host) = image else { return }
        let programs = host.localPrograms.filter { $0.path != SandboxLayout.claude }
        var mounts: [LaunchPlan.Step] = []
        for program in programs {
            if case .link(let path, let target) = program {
                mounts.append(.link(path, target: target))
                continue
            }
            add(.clone(program.path))
            var place = LaunchPlan.Place.file
            if case .directory = program { place = .directory }
            mounts.append(.mount(slot: slots, path: program.path, place: place))
            slots += 1
        }
        add(.tmpfs(HostImage.localProgramDirectory, bytes: 64 << 10, inodes: 512, mode: 0o755, owner: .root))
        steps += mounts
    }

    private mutating func makeDevices() {
        for name in Devices.standard + devices { add(.device(name)) }
        if !isPrepared {
            for (name, target) in Devices.links { add(.link("/dev/\(name)", target: target)) }
        }
        let shared = specification.limits.effectiveSharedMemory.bytes
        add(.tmpfs("/dev/shm", bytes: shared, inodes: 4096, mode: 0o1777, owner: .agent))
        add(.terminal(columns: specification.columns, rows: specification.rows, most: 32))
    }

    private mutating func mountProc() {
        add(.proc)
        MaskedPaths.all.forEach { add(.mask($0, directory: MaskedPaths.directories.contains($0))) }
        // Nothing is made any more, and copies of the mount are read-only too.
        add(.readOnly(ownFiles))
        for (file, place) in GeneratedFiles.overProc { mountAgain(file, at: place, as: .there) }
    }

    private mutating func reachNetwork() {
        switch specification.rules.network {
        case .none: add(.loopback)
        case .proxy, .host: add(.network(address: listenerAddress, port: SandboxLayout.listenerPort))
        }
    }

    /// The mounts say the same already; this holds also where a mount would not.
    private mutating func restrictFiles() {
        guard landlock else { return }
        add(.landlock(.read, "/"))
        add(.landlock(.device, "/dev"))
        var writable = [SandboxLayout.workspace, SandboxLayout.home, "/tmp", "/run/user/1000", "/dev/shm"]
        writable += specification.rules.mounts.filter(\.writable).map(\.target)
        if specification.rules.system == .overlay { writable.append("/") }
        for path in writable { add(.landlock(.write, path)) }
    }

    private mutating func setLimits() {
        let limits = specification.limits
        let files = UInt64(clamping: limits.openFiles)
        let processes = UInt64(clamping: limits.pids)
        add(.limit(.openFiles, soft: files, hard: files))
        add(.limit(.processes, soft: processes, hard: processes))
        if let bytes = limits.effectiveFileSize?.bytes { add(.limit(.fileSize, soft: bytes, hard: bytes)) }
        add(.limit(.core, soft: 0, hard: 0))
        add(.limit(.lockedMemory, soft: 8 << 20, hard: 8 << 20))
        add(.limit(.messageQueues, soft: 819_200, hard: 819_200))
        add(.limit(.pendingSignals, soft: 4096, hard: 4096))
        add(.limit(.realTimePriority, soft: 0, hard: 0))
    }

    private mutating func describeCommand() {
        specification.arguments.forEach { add(.argument($0)) }
        for (name, value) in specification.environment.sorted(by: { $0.key < $1.key }) {
            add(.environment("\(name)=\(value)"))
        }
        add(.workDirectory(SandboxLayout.workspace))
        if specification.streams != nil { add(.streams) }
    }

    /// A file for each 8 KiB, within reason: many empty files cost kernel memory too.
    private func inodes(for bytes: UInt64) -> Int { Int(clamping: min(max(bytes / 8192, 1024), 262_144)) }
}
