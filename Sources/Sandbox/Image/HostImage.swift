import Synchronization

/// The `host` image: the host's own programs and libraries, read-only, and of its /etc only what programs need to run
/// and what says nothing about the host.
public struct HostImage: Sendable, Hashable {
    /// One thing of the host that the inside sees at the same path.
    public enum Entry: Sendable, Hashable {
        /// A directory, with every mount below it.
        case directory(String)
        case file(String)
        /// A symbolic link, made anew with the same text.
        case link(String, target: String)

        public var path: String {
            switch self {
            case .directory(let path), .file(let path), .link(let path, _): path
            }
        }
    }

    /// Parents come before what lies below them.
    public var entries: [Entry]
    /// What the host has in /usr/local/bin. The inside's own directory there shows it too, beside Claude Code.
    public var localPrograms: [Entry]

    public init(entries: [Entry], localPrograms: [Entry]) {
        self.entries = entries
        self.localPrograms = localPrograms
    }

    static let localProgramDirectory = "/usr/local/bin"
    /// More than this many local programs are not shown.
    static let mostLocalPrograms = 200

    private static let systemDirectories = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"]
    /// Nothing with a secret, a user, an address or a name of the host in it: /etc/ssl/private stays out.
    private static let configuration = [
        "alternatives", "ca-certificates", "ca-certificates.conf", "crypto-policies", "debian_version", "fonts",
        "inputrc", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "lsb-release", "magic", "mime.types",
        "os-release", "perl", "pki/ca-trust", "pki/tls/certs", "protocols", "python3", "python3.11", "python3.12",
        "python3.13", "redhat-release", "rpc", "services", "ssl/certs", "ssl/openssl.cnf", "terminfo", "timezone",
    ].map { "/etc/" + $0 }

    /// Looks at this host, unless nothing has come to or gone from the directories since it last did.
    public static func ofThisHost() -> HostImage { latestLook().image }

    /// The same with the number of that look: one more each time that something has changed.
    static func latestLook() -> (image: HostImage, look: Int) {
        let changes = Changes(times: lookedAt.map(HostPath.changeTime), mounts: mountsInEntries())
        return latest.withLock { latest in
            if let latest, latest.changes == changes { return (latest.image, latest.look) }
            let (image, number) = (look(), (latest?.look ?? 0) + 1)
            latest = (changes, image, number)
            return (image, number)
        }
    }

    /// What tells that the host has changed.
    private struct Changes: Equatable {
        var times: [HostPath.ChangeTime?]
        /// An entry is shown with the mounts in it.
        var mounts: [Substring]
    }

    /// The directories that hold the entries.
    private static let lookedAt =
        ["/", localProgramDirectory]
        + Set(configuration.map { String($0[..<($0.lastIndex(of: "/") ?? $0.startIndex)]) })
    private static let latest = Mutex<(changes: Changes, image: HostImage, look: Int)?>(nil)

    /// Lines of the mount table, whose fifth field is the place.
    private static func mountsInEntries() -> [Substring] {
        (CgroupFile.read("/proc/self/mountinfo") ?? "").split(separator: "\n").filter { line in
            let fields = line.split(separator: " ", maxSplits: 5)
            guard fields.count > 4 else { return false }
            return shownFrom.contains { fields[4] == $0 || fields[4].hasPrefix($0 + "/") }
        }
    }
    private static let shownFrom = systemDirectories + ["/etc"]

    private static func look() -> HostImage {
        let entries = (systemDirectories + configuration).compactMap(entry(at:))
        let programs = HostPath.names(in: localProgramDirectory).prefix(mostLocalPrograms)
            .compactMap { entry(at: "\(localProgramDirectory)/\($0)") }
        return HostImage(entries: entries, localPrograms: programs)
    }

    private static func entry(at path: String) -> Entry? {
        switch HostPath.kind(of: path) {
        case .directory: .directory(path)
        case .file: .file(path)
        case .link(let target): .link(path, target: target)
        case .other, nil: nil
        }
    }
}
