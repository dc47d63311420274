/// Which files a confined process may still open. What it has open already stays.
public struct FileRules: Sendable, Equatable {
    /// Files, and directories with all below them. One that does not exist is left out.
    public var readable: [String]
    /// Directories below which files, directories, links and sockets may be made, written and removed.
    public var writable: [String]
    /// The same for a directory that is known by its descriptor only.
    public var writableDescriptors: [Int32]

    public init(readable: [String] = [], writable: [String] = [], writableDescriptors: [Int32] = []) {
        self.readable = readable
        self.writable = writable
        self.writableDescriptors = writableDescriptors
    }

    /// What the C library, Foundation and TLS read: libraries and name services that are loaded late, time zones,
    /// certificates, users, resolver configuration, the machine's processors and the process's own state.
    public static let system = [
        "/usr", "/lib", "/lib32", "/lib64", "/etc", "/proc", "/sys/devices/system/cpu", "/run/systemd/resolve",
        "/run/resolvconf", "/run/NetworkManager", "/var/lib/ca-certificates", "/run/nscd", "/dev/urandom",
        "/dev/random", "/dev/zero",
    ]
}

/// What a confined process may still do with TCP. Its open sockets stay as they are.
public struct PortRules: Sendable, Equatable {
    /// Ports that it may listen on; 0 is one that the kernel chooses.
    public var listen: [UInt16]
    /// Whether it may connect anywhere.
    public var connects: Bool

    public init(listen: [UInt16], connects: Bool) {
        self.listen = listen
        self.connects = connects
    }

    public static let none = PortRules(listen: [], connects: false)
}
