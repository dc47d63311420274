/// The complete environment of a session's command. Nothing is inherited from any process of the host.
public enum SessionEnvironment {
    /// What a sandbox has in place of a credential: no secret, and of use to its own session alone. The gateway puts the
    /// real credential in its place.
    ///
    /// - Parameter sessionID: the session's UUID in lower case.
    public static func placeholder(for sessionID: String) -> String { "rookery-session-\(sessionID)" }
    /// The one word that all sandboxes had before each had its own. They outlive an upgrade of the supervisor, so it is
    /// taken for one version more, and goes with the next. Whose a request is, the listener says all the same.
    public static let formerPlaceholder = "rookery-session"

    /// Inside the sandbox; see `SandboxLayout` in WorkerControl.
    static let home = "/home/agent"
    static let workspace = "/workspace"
    static let listener = "http://127.0.0.1:3128"

    /// Where the CLI keeps its configuration, conversations and status file.
    public static let configDirectory = home + "/.claude"

    /// Turns off whatever the CLI does on the network or the machine besides asking the model.
    static let quiet: [String: String] = [
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
        "CLAUDE_CODE_DISABLE_FEEDBACK_SURVEY": "1",
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_BUG_COMMAND": "1",
        "DISABLE_ERROR_REPORTING": "1",
        "DISABLE_FEEDBACK_COMMAND": "1",
        "DISABLE_INSTALLATION_CHECKS": "1",
        "DISABLE_TELEMETRY": "1",
        "DISABLE_UPGRADE_COMMAND": "1",
        "DISABLE_LOGIN_COMMAND": "1",
        "DISABLE_LOGOUT_COMMAND": "1",
    ]

    /// Builds the environment.
    ///
    /// - Parameters:
    ///   - sessionID: the session's UUID in lower case; the CLI's own session id.
    ///   - permissionMode: `default`, `acceptEdits`, `plan`, `bypassPermissions`, …; nil is `default`.
    ///   - model: the CLI's `--model`; nil leaves the choice to the CLI.
    ///   - extra: the caller's own variables.
    /// - Throws: ``EnvironmentError`` when one of the caller's variables is refused.
    public static func variables(
        sessionID: String, columns: Int, rows: Int, permissionMode: String? = nil, model: String? = nil,
        extra: [String: String] = [:]
    ) throws(EnvironmentError) -> [String: String] {
        try check(extra)
        var variables: [String: String] = [
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
            "HOME": home,
            "USER": "agent",
            "LOGNAME": "agent",
            "SHELL": "/bin/bash",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "COLUMNS": "\(columns)",
            "LINES": "\(rows)",
            "FORCE_COLOR": "1",
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": "/tmp",
        ]
        variables.merge(extra) { _, own in own }
        variables.merge(quiet) { _, fixed in fixed }
        variables["CLAUDE_SESSION_ID"] = sessionID
        variables["CLAUDE_CONFIG_DIR"] = configDirectory
        variables["ECHOKIT_WORKING_PATH"] = workspace
        variables["ROOKERY_WORKSPACE"] = workspace
        variables["ROOKERY_PERMISSION_MODE"] = permissionMode ?? "default"
        if let model { variables["ROOKERY_MODEL"] = model }
        variables["ANTHROPIC_BASE_URL"] = listener
        // A bearer token rather than an API key: the CLI asks nothing about it.
        variables["ANTHROPIC_AUTH_TOKEN"] = placeholder(for: sessionID)
        return variables
    }

    /// Refuses variables that are malformed, too large, or decide what the product decides.
    public static func check(_ variables: [String: String]) throws(EnvironmentError) {
        guard variables.count <= 128 else { throw .tooLarge("more than 128 variables") }
        var total = 0
        for (name, value) in variables.sorted(by: { $0.key < $1.key }) {
            guard isName(name) else { throw .badName(name) }
            if let why = reservation(of: name) { throw .reserved(name, why: why) }
            guard !value.utf8.contains(0) else { throw .badValue(name) }
            total += name.utf8.count + value.utf8.count + 2
        }
        guard total <= 32 * 1024 else { throw .tooLarge("\(total) bytes in all, at most 32768") }
    }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= 128 else { return false }
        func isLetter(_ byte: UInt8) -> Bool {
            (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
        }
        return isLetter(first) && name.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) }
    }

    private static let reservedPrefixes = [
        ("ANTHROPIC_", "it decides where the model API is"),
        ("CLAUDE_", "Rookery sets the CLI's own switches"),
        ("CLAUDECODE", "Rookery sets the CLI's own switches"),
        ("ROOKERY_", "it is Rookery's own"),
        ("ECHOKIT_", "Rookery sets it for the start command"),
        ("LD_", "it changes how every program of the sandbox is loaded"),
        ("DISABLE_", "Rookery sets the CLI's own switches"),
    ]

    private static let reservedNames: [String: String] = [
        "HOME": "the session has a home of its own",
        "USER": "the session has a user of its own",
        "LOGNAME": "the session has a user of its own",
        "COLUMNS": "it follows the terminal's size",
        "LINES": "it follows the terminal's size",
        "BASH_ENV": "it would run before the start command",
        "ENV": "it would run before the start command",
        "IS_SANDBOX": "Rookery sets the CLI's own switches",
    ]

    private static func reservation(of name: String) -> String? {
        if let why = reservedNames[name] { return why }
        return reservedPrefixes.first { name.hasPrefix($0.0) }?.1
    }
}

/// Why a session's own variables are refused. The text is for the caller.
public enum EnvironmentError: Error, Sendable, Hashable, CustomStringConvertible {
    case badName(String)
    case badValue(String)
    case reserved(String, why: String)
    case tooLarge(String)

    public var description: String {
        switch self {
        case .badName(let name):
            "'\(name.prefix(128))' is not a variable's name: letters, digits and _ only, not starting with a digit"
        case .badValue(let name): "the value of \(name) contains a NUL byte"
        case .reserved(let name, let why): "\(name) cannot be set for a session: \(why)"
        case .tooLarge(let what): "the environment is too large: \(what)"
        }
    }
}
