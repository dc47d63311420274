/// What happens to a session's questions.
public struct PermissionRules: Codable, Sendable, Hashable {
    /// What is allowed in the policy's name when it is asked for, as ``ClaudeRules/allowedTools`` are written. Unlike
    /// those it is asked, told and audited.
    public var allow: [String]
    /// How long a question may stay open before it is denied; nil: for ever.
    public var timeout: TimeSpan?

    public init(allow: [String] = [], timeout: TimeSpan? = nil) {
        self.allow = allow
        self.timeout = timeout
    }

    /// Whether a rule is one that is judged outside of Claude Code: a tool or an MCP server by its name, `Bash` with a
    /// command or its first words, a file tool with `./…` or `//…`, `WebFetch(domain:…)`.
    public static func isJudged(_ rule: String) -> Bool {
        guard ClaudeRules.isTool(rule), let start = rule.firstIndex(of: "(") else { return ClaudeRules.isTool(rule) }
        let what = rule[start...].dropFirst().dropLast()
        func isPath(_ path: Substring) -> Bool {
            let path = path.hasSuffix("/**") ? path.dropLast(3) : path
            guard path == "." || path.hasPrefix("./") || path.hasPrefix("//"), !path.contains("*") else { return false }
            return path == "."
                || path.dropFirst(2).split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
                    !["", ".", ".."].contains($0)
                }
        }
        switch rule[..<start] {
        case "Bash":
            let command = what.hasSuffix(":*") ? what.dropLast(2) : what
            return !command.isEmpty && !command.hasPrefix(" ") && !command.hasSuffix(" ")
                && !command.contains { "*;&|<>$`(){}".contains($0) || $0.isNewline }
        case "WebFetch":
            let host = what.dropFirst("domain:".count)
            return what.hasPrefix("domain:") && !host.isEmpty && !host.contains { "/:*@ ".contains($0) }
        case "Read", "Edit", "MultiEdit", "Write", "NotebookEdit", "Glob", "Grep", "LS": return isPath(what)
        default: return false
        }
    }
}
