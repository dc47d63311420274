/// What the sessions made under one name may do and use. Written by the operator, one YAML file each; fixed for a
/// session at its launch.
public struct SessionPolicy: Codable, Sendable, Hashable {
    /// 1…64 of `a-z 0-9 - _`, the first a letter or digit; the file's name without `.yaml`.
    public var name: String
    /// One line for `rookery policy list`.
    public var description: String
    /// What the launcher carries out.
    public var sandbox: SandboxRules
    /// What may be reached beside the model.
    public var egress: EgressPolicy
    /// Added to the environment of the session's command. Never holds a name of ``EnvironmentRules/reserved``.
    public var environment: [String: String]
    public var claude: ClaudeRules
    public var idle: IdleRules
    /// How much terminal output the worker keeps for replay.
    public var logBytes: ByteSize
    /// How much of each request to the model, and of each answer, is kept beside the log of requests; nil: nothing.
    public var requestBodies: ByteSize?
    public var journal: JournalRules
    public var permissions: PermissionRules
    /// What a user's own request may change, and how far.
    public var bounds: RequestBounds
    /// The terminal's size until a client says another.
    public var size: InitialSize
    /// What waits for the next session.
    public var spares: SpareRules

    /// The image made of the host's own /usr.
    public static let hostImage = "host"

    /// What holds when nothing else is written.
    public init(
        name: String, description: String = "", sandbox: SandboxRules = .standard,
        egress: EgressPolicy = EgressPolicy(),
        environment: [String: String] = [:], claude: ClaudeRules = ClaudeRules(), idle: IdleRules = IdleRules(),
        logBytes: ByteSize = .mebibytes(4), requestBodies: ByteSize? = nil, journal: JournalRules = JournalRules(),
        permissions: PermissionRules = PermissionRules(), bounds: RequestBounds = RequestBounds(),
        size: InitialSize = .standard, spares: SpareRules = SpareRules()
    ) {
        self.name = name
        self.description = description
        self.sandbox = sandbox
        self.egress = egress
        self.environment = environment
        self.claude = claude
        self.idle = idle
        self.logBytes = logBytes
        self.requestBodies = requestBodies
        self.journal = journal
        self.permissions = permissions
        self.bounds = bounds
        self.size = size
        self.spares = spares
    }

    /// The policy of a session that names none.
    public static let defaultName = "default"
    /// What `default` is where no file says otherwise.
    public static let builtIn = SessionPolicy(
        name: defaultName, description: "What a session gets that names no policy.")

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
        case name, description, sandbox, egress, environment, claude, idle
        case logBytes = "log_bytes"
        case requestBodies = "request_bodies"
        case journal, permissions, bounds, size, spares
    }
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
