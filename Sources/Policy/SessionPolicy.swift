/// What the sessions made under one name may do and use. Written by the operator, one YAML file each; fixed for a
/// session at its launch.
public struct SessionPolicy: Codable, Sendable, Hashable {
    /// 1…64 of `a-z 0-9 - _`, the first a letter or digit; the file's name without `.yaml`.
    public var name: String
    /// The root filesystem. Only ``hostImage`` for now.
    public var image: String
    public var limits: ResourceLimits
    public var permissionMode: PermissionMode
    /// What `claude --model` gets; nil leaves the choice to Claude Code.
    public var model: String?
    /// Added to the environment of the session's command. Never holds a name of ``EnvironmentRules/reserved``.
    public var environment: [String: String]
    /// How long a session may be idle before it is parked. nil: it never is.
    public var idleTimeout: TimeSpan?
    /// How long before the parking the session is warned.
    public var reapWarning: TimeSpan
    /// How long a session that is asked to end has before it is killed.
    public var grace: TimeSpan
    /// How long one incarnation may run. nil: without bound.
    public var maxLifetime: TimeSpan?
    /// How much terminal output the worker keeps for replay.
    public var logBytes: ByteSize
    /// The terminal's size until a client says another.
    public var size: InitialSize

    /// The image made of the host's own /usr.
    public static let hostImage = "host"

    /// What holds when nothing else is written.
    public init(
        name: String, image: String = SessionPolicy.hostImage, limits: ResourceLimits = .standard,
        permissionMode: PermissionMode = .standard, model: String? = nil, environment: [String: String] = [:],
        idleTimeout: TimeSpan? = .minutes(20), reapWarning: TimeSpan = .minutes(1), grace: TimeSpan = .seconds(10),
        maxLifetime: TimeSpan? = nil, logBytes: ByteSize = .mebibytes(4), size: InitialSize = .standard
    ) {
        self.name = name
        self.image = image
        self.limits = limits
        self.permissionMode = permissionMode
        self.model = model
        self.environment = environment
        self.idleTimeout = idleTimeout
        self.reapWarning = reapWarning
        self.grace = grace
        self.maxLifetime = maxLifetime
        self.logBytes = logBytes
        self.size = size
    }

    /// The policy of a session that names none.
    public static let defaultName = "default"
    /// What `default` is where no file says otherwise.
    public static let builtIn = SessionPolicy(name: defaultName)

    /// True for a name that may be a policy's, and so a file's.
    public static func isName(_ text: String) -> Bool {
        guard (1...64).contains(text.utf8.count), let first = text.utf8.first, first != UInt8(ascii: "-"),
            first != UInt8(ascii: "_")
        else { return false }
        return text.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
        }
    }

    /// True for text that can stand after `--model`: 1…128 of letters, digits and `. _ : / @ [ ] -`, no dash first.
    public static func isModel(_ text: String) -> Bool {
        guard (1...128).contains(text.utf8.count), text.utf8.first != UInt8(ascii: "-") else { return false }
        return text.unicodeScalars.allSatisfy {
            $0.isASCII
                && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "._:/@[]-".unicodeScalars.contains($0))
        }
    }

    enum CodingKeys: String, CodingKey {
        case name, image, limits
        case permissionMode = "permission_mode"
        case model, environment
        case idleTimeout = "idle_timeout"
        case reapWarning = "reap_warning"
        case grace
        case maxLifetime = "max_lifetime"
        case logBytes = "log_bytes"
        case size
    }
}

/// Claude Code's `--permission-mode`.
public enum PermissionMode: String, Codable, Sendable, Hashable, CaseIterable {
    /// A person is asked; Claude Code's own word for it is also `manual`.
    case standard = "default"
    case acceptEdits
    case plan
    case auto
    case dontAsk
    case bypassPermissions
}

/// A terminal's first size in cells.
public struct InitialSize: Codable, Sendable, Hashable {
    public var cols: Int
    public var rows: Int

    public static let standard = InitialSize(cols: 80, rows: 24)

    public init(cols: Int, rows: Int) {
        self.cols = cols
        self.rows = rows
    }
}
