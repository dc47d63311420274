import Policy

/// The part of a plan that makes the system directories: the host's, or a built image's, and what a session may change
/// of them.
extension PlanComposer {
    /// Where the session's changes lie while the plan runs, `<name>/upper` and `<name>/work` for each directory.
    static let overlayPlace = "/run/rookery/overlay"
    /// Where a built image's root lies while the plan runs.
    static let imagePlace = "/run/rookery/image"

    /// A built image, or a prepared tree, is one mount, and comes first.
    static func imageSlots(of image: SystemImage) -> Int {
        switch image {
        case .built, .prepared: 1
        case .host: 0
        }
    }

    /// Everything that needs no file of this session's is there already.
    var isPrepared: Bool {
        if case .prepared = image { return true }
        return false
    }

    /// The filesystem with the files that are made for this sandbox alone.
    var ownFiles: String { isPrepared ? "/run" : "/" }

    /// A directory at the top: of the host's /etc only single things are shown.
    static func isSystemDirectory(_ path: String) -> Bool { path.utf8.count { $0 == UInt8(ascii: "/") } == 1 }

    /// Only the host's /usr/local/bin needs a cover: a built image has a place for Claude Code in it.
    var coversLocalPrograms: Bool {
        if case .host = image { return true }
        return false
    }

    mutating func makeRoot() {
        let (bytes, inodes): (UInt64, Int) = (4 << 20, 4096)
        guard isPrepared else {
            add(.root(over: "/tmp", bytes: bytes, inodes: inodes))
            return makeDirectories()
        }
        add(.prepared(slot: 0, over: "/tmp"))
        add(.tmpfs("/run", bytes: bytes, inodes: inodes, mode: 0o755, owner: .root))
        for path in [
            "/run/rookery", "/run/rookery/etc", "/run/rookery/etc/claude-code", "/run/user", "/run/user/1000",
        ] { add(.directory(path, mode: 0o755, owner: .root)) }
    }

    private mutating func makeDirectories() {
        var directories = [
            "/dev", "/dev/shm", "/home", "/proc", "/run", "/run/rookery", "/run/user", "/run/user/1000", "/tmp",
        ]
        switch image {
        case .host:
            directories += ["/etc", "/etc/claude-code", "/etc/pki", "/etc/pki/tls", "/etc/ssl", "/usr", "/var"]
        case .built, .prepared: directories += ["/run/rookery/etc", "/run/rookery/etc/claude-code"]
        }
        for path in directories.sorted() { add(.directory(path, mode: 0o755, owner: .root)) }
        if case .built = image { return }
        add(.link("/var/tmp", target: "/tmp"))
        add(.link("/var/run", target: "/run"))
        add(.link("/etc/mtab", target: "/proc/self/mounts"))
    }

    mutating func mountImage() {
        if let slot = sources.firstIndex(where: { $0.place == Self.overlayPlace }) {
            add(.mount(slot: Self.imageSlots(of: image) + slot, path: Self.overlayPlace, place: .directory))
        }
        switch image {
        case .host(let host): mountHost(host)
        case .built(let layout): mountBuilt(layout)
        case .prepared: break
        }
    }

    /// Slots of the image are the first ones; links have none.
    private mutating func mountHost(_ host: HostImage) {
        var slot = 0
        for entry in host.entries {
            switch entry {
            case .link(let path, let target):
                add(.link(path, target: target))
            case .directory(let path):
                add(.mount(slot: slot, path: path, place: .directory))
                if specification.overlay != nil, Self.isSystemDirectory(path) { overlay(path, over: path) }
                slot += 1
            case .file(let path):
                add(.mount(slot: slot, path: path, place: .file))
                slot += 1
            }
        }
        guard specification.overlay != nil else { return }
        // The host's own is not shown; a session may have one all the same.
        let upper = makeUpper(of: "/opt")
        mountAgain(upper, at: "/opt", as: .directory)
    }

    private mutating func mountBuilt(_ layout: ImageLayout) {
        add(.mount(slot: 0, path: Self.imagePlace, place: .directory))
        for entry in layout.entries {
            switch entry {
            case .link(let path, let target): add(.link(path, target: target))
            case .directory(let path) where specification.overlay != nil:
                add(.directory(path, mode: 0o755, owner: .root))
                overlay(path, over: Self.imagePlace + path)
            case .directory(let path): mountAgain(Self.imagePlace + path, at: path, as: .directory)
            case .file: break
            }
        }
    }

    private mutating func overlay(_ path: String, over lower: String) {
        let upper = makeUpper(of: path)
        add(.overlay(path, lower: lower, upper: upper, work: "\(Self.overlayPlace)\(path)/work"))
    }

    /// Makes the places for what the session changes in a directory, and returns the one that holds it.
    private mutating func makeUpper(of path: String) -> String {
        let place = Self.overlayPlace + path
        add(.directory(place, mode: 0o755, owner: .agent))
        for part in ["upper", "work"] { add(.directory("\(place)/\(part)", mode: 0o755, owner: .agent)) }
        return "\(place)/upper"
    }

    mutating func writeFiles() {
        let generated = GeneratedFiles(specification: specification, home: SandboxLayout.home)
        if case .host = image {
            for file in generated.files { add(.file(file.path, mode: 0o644, text: file.text)) }
            return
        }
        for file in generated.files { add(.file(GeneratedFiles.cover(of: file.path), mode: 0o644, text: file.text)) }
        // A prepared tree has links to them.
        guard !isPrepared else { return }
        for path in SandboxLayout.generatedFiles { cover(path, as: .file) }
        // As a whole: a session that may change its /etc must not add a file there.
        cover(SandboxLayout.settingsDirectory, as: .directory)
    }

    private mutating func cover(_ path: String, as kind: LaunchPlan.Place) {
        mountAgain(GeneratedFiles.cover(of: path), at: path, as: kind)
        add(.readOnly(path))
    }

    func isMountedWithImage(_ source: MountSource) -> Bool {
        if source.place == Self.overlayPlace { return true }
        guard case .host(let host) = image else { return false }
        return host.entries.contains { $0.path == source.place }
    }

    /// What the inside is made from is not there for it to reach.
    mutating func detachSources() {
        if case .built = image { add(.detach(Self.imagePlace)) }
        if specification.overlay != nil { add(.detach(Self.overlayPlace)) }
    }
}
