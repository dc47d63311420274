/// How Claude Code is started, and what it may do unasked.
public struct ClaudeRules: Codable, Sendable, Hashable {
    public var permissionMode: PermissionMode
    /// Tools that are allowed without a question, as Claude Code's permission rules write them: `Read`, `Bash(git log:*)`.
    public var allowedTools: [String]
    /// Tools that are refused whatever anybody says.
    public var deniedTools: [String]
    /// What `claude --model` gets; nil leaves the choice to Claude Code.
    public var model: String?
    /// Whether sessions that have a channel server say that it is one (`--dangerously-load-development-channels`).
    public var channels: Bool

    public init(
        permissionMode: PermissionMode = .standard, allowedTools: [String] = [], deniedTools: [String] = [],
        model: String? = nil, channels: Bool = false
    ) {
        self.permissionMode = permissionMode
        self.allowedTools = allowedTools
        self.deniedTools = deniedTools
        self.model = model
        self.channels = channels
    }

    /// In one list.
    public static let mostTools = 256
    /// Bytes of one rule.
    public static let longestTool = 512

    /// Whether a text has the shape of Claude Code's permission rules: `Name`, `mcp__server__tool` or `Name(what)`.
    public static func isTool(_ text: String) -> Bool {
        let name = text.prefix { $0 != "(" }
        let rest = text.dropFirst(name.count)
        guard let first = name.unicodeScalars.first, first.isASCII, first.properties.isAlphabetic,
            name.unicodeScalars.allSatisfy({
                $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "_" || $0 == "-")
            })
        else { return false }
        return rest.isEmpty || (rest.hasSuffix(")") && rest.count > 2)
    }

    enum CodingKeys: String, CodingKey {
        case permissionMode = "permission_mode"
        case allowedTools = "allowed_tools"
        case deniedTools = "denied_tools"
        case model, channels
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
