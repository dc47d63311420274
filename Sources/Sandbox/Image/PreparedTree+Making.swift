import CLinux
import Glibc
import Policy

extension PreparedTree {
    /// Makes the tree, from the top down.
    init(_ layout: Layout) throws(SandboxError) {
        let top = try MemoryTree()
        for path in Self.directories { try top.directory(path) }
        for path in layout.targets {
            for part in MountSource.parents(of: path) + [path] { try top.directory(part) }
        }
        for (name, target) in Devices.links { try top.link("/dev/\(name)", target: target) }
        for (path, target) in Self.links { try top.link(path, target: target) }
        for path in SandboxLayout.generatedFiles {
            try top.link(path, target: GeneratedFiles.cover(of: path))
        }
        try top.link(
            SandboxLayout.settingsDirectory, target: GeneratedFiles.cover(of: SandboxLayout.settingsDirectory))
        for name in layout.devices {
            for part in MountSource.parents(of: "/dev/\(name)") { try top.directory(part) }
            try top.file("/dev/\(name)")
        }
        for entry in layout.host.entries { try top.show(entry, at: entry.path) }
        if layout.coversLocalPrograms {
            let programs = try MemoryTree()
            try programs.file("/claude")
            for program in layout.host.localPrograms where program.path != SandboxLayout.claude {
                try programs.show(
                    program, at: String(program.path.dropFirst(HostImage.localProgramDirectory.utf8.count)))
            }
            try programs.seal()
            try top.attach(programs.root, at: HostImage.localProgramDirectory)
        }
        try top.seal()
        let attributes: MountAttributes = [.readOnly, .noSetuid, .noDevices]
        let result = rk_set_mount(top.root.number, attributes.rawValue, -1, true)
        guard result >= 0 else { throw MemoryTree.failure("mount_setattr", -result) }
        self.init(root: top.root)
    }

    private static let directories = [
        "/dev", "/dev/pts", "/dev/shm", "/etc", "/etc/pki", "/etc/pki/tls", "/etc/ssl", "/home", SandboxLayout.home,
        "/proc", "/run", "/tmp", "/usr", "/var", SandboxLayout.workspace,
    ]

    private static let links = [
        ("/var/tmp", "/tmp"), ("/var/run", "/run"), ("/etc/mtab", "/proc/self/mounts"), ("/dev/ptmx", "pts/ptmx"),
    ]
}

/// A filesystem of memory while it is filled. Nothing is in it but what is put there here; what the host shows in it is
/// mounted last, and paths are resolved through no link and not out of it.
private struct MemoryTree {
    let root: OwnedDescriptor
    private let context: OwnedDescriptor

    init() throws(SandboxError) {
        var context: Int32 = -1
        let mount = rk_memory_tree("\(1 << 20)", "2048", &context)
        guard mount >= 0 else { throw Self.failure("tmpfs", -mount) }
        root = OwnedDescriptor(owning: mount)
        self.context = OwnedDescriptor(owning: context)
    }

    func directory(_ path: String) throws(SandboxError) {
        guard mkdirat(root.number, relative(path), 0o755) == 0 else {
            if errno == EEXIST { return }
            throw Self.failure("mkdir \(path)", errno)
        }
        // Whatever this process's umask is.
        guard fchmodat(root.number, relative(path), 0o755, 0) == 0 else { throw Self.failure("chmod \(path)", errno) }
    }

    func link(_ path: String, target: String) throws(SandboxError) {
        guard symlinkat(target, root.number, relative(path)) == 0 else { throw Self.failure("symlink \(path)", errno) }
    }

    /// An empty one, the place of a mount.
    func file(_ path: String) throws(SandboxError) {
        let file = openat(root.number, relative(path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw Self.failure("create \(path)", errno) }
        close(file)
    }

    func show(_ entry: HostImage.Entry, at place: String) throws(SandboxError) {
        switch entry {
        case .link(_, let target): return try link(place, target: target)
        case .directory: try directory(place)
        case .file: try file(place)
        }
        var isDirectory = false
        if case .directory = entry { isDirectory = true }
        let source = try PinnedSource(.image(entry.path, at: entry.path, isDirectory: isDirectory), rootless: false)
        try attach(try source.detached(), at: place)
    }

    func attach(_ mount: OwnedDescriptor, at path: String) throws(SandboxError) {
        let refusals = UInt64(RK_RESOLVE_BENEATH | RK_RESOLVE_NO_SYMLINKS | RK_RESOLVE_NO_MAGIC_LINKS)
        let number = rk_open(root.number, relative(path), UInt64(RK_OPEN_PATH), 0, refusals)
        guard number >= 0 else { throw Self.failure("open \(path)", -number) }
        let place = OwnedDescriptor(owning: number)
        let result = withExtendedLifetime((mount, place)) { rk_attach_mount(mount.number, place.number, "") }
        guard result >= 0 else { throw Self.failure("move_mount \(path)", -result) }
    }

    func seal() throws(SandboxError) {
        let result = rk_seal_memory_tree(context.number)
        guard result >= 0 else { throw Self.failure("read-only", -result) }
    }

    private func relative(_ path: String) -> String { String(path.drop { $0 == "/" }) }

    static func failure(_ call: String, _ errno: Int32) -> SandboxError {
        SandboxError(step: "prepared tree", errno: errno, message: "\(call): \(SystemError.reason(errno))", remedy: "")
    }
}
