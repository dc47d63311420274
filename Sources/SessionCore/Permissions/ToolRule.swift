import Foundation

/// A rule by which a policy answers yes to what a session asks, written as Claude Code's own permission rules are:
/// `Read`, `Bash(git log:*)`, `Edit(./src/**)`, `WebFetch(domain:docs.rs)`, `mcp__tickets`.
///
/// It is judged by what was asked, whole, and what it does not understand it does not allow.
public struct ToolRule: Sendable, Hashable {
    private enum Condition: Sendable, Hashable {
        case none
        /// Of a shell: this command, or one that begins with these words.
        case command(String, isPrefix: Bool)
        /// Of a file: this one, or all below it. Absolute.
        case path(String, isTree: Bool)
        case host(String)
    }

    private let tool: String
    private let condition: Condition

    /// Where `./` is.
    private static let workspace = "/workspace"
    private static let fileMembers: [String: String] = [
        "Read": "file_path", "Edit": "file_path", "MultiEdit": "file_path", "Write": "file_path",
        "NotebookEdit": "notebook_path", "Glob": "path", "Grep": "path", "LS": "path",
    ]

    /// nil for a text that is no rule, or one of a kind that is not known here.
    public init?(_ text: String) {
        let name = text.prefix { $0 != "(" }
        guard !name.isEmpty, name.unicodeScalars.allSatisfy(Self.isNamed) else { return nil }
        tool = String(name)
        guard name.count < text.count else {
            condition = .none
            return
        }
        guard text.hasSuffix(")") else { return nil }
        let what = String(text.dropFirst(name.count + 1).dropLast())
        guard let condition = Self.condition(what, of: tool) else { return nil }
        self.condition = condition
    }

    private static func isNamed(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && (scalar.properties.isAlphabetic || "_-0123456789".unicodeScalars.contains(scalar))
    }

    private static func condition(_ what: String, of tool: String) -> Condition? {
        switch tool {
        case "Bash":
            let isPrefix = what.hasSuffix(":*")
            let command = isPrefix ? String(what.dropLast(2)) : what
            guard isPlain(command), !command.contains("*"), command == command.trimmingCharacters(in: .whitespaces)
            else { return nil }
            return .command(command, isPrefix: isPrefix)
        case "WebFetch":
            let host = what.trimmingPrefix("domain:")
            guard what.hasPrefix("domain:"), !host.isEmpty, !host.contains(where: { "/:*@ ".contains($0) }) else {
                return nil
            }
            return .host(host.lowercased())
        default:
            guard fileMembers[tool] != nil else { return nil }
            let isTree = what.hasSuffix("/**")
            let written = isTree ? String(what.dropLast(3)) : what
            let path = written.hasPrefix("//") ? String(written.dropFirst()) : resolved(written)
            guard let path, isNormal(path), !path.contains("*") else { return nil }
            return .path(path, isTree: isTree)
        }
    }

    private static func resolved(_ relative: String) -> String? {
        if relative == "." { return workspace }
        return relative.hasPrefix("./") ? workspace + "/" + relative.dropFirst(2) : nil
    }

    /// Absolute, and no part of it leads elsewhere.
    private static func isNormal(_ path: String) -> Bool {
        path.hasPrefix("/")
            && path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
                !["", ".", ".."].contains($0)
            }
    }

    /// One command of a shell, with nothing that would make it several, or another.
    private static func isPlain(_ command: String) -> Bool {
        !command.isEmpty
            && !command.unicodeScalars.contains { scalar in
                scalar.value < 0x20 || scalar.value == 0x7F || ";&|<>$`(){}".unicodeScalars.contains(scalar)
            }
    }

    /// Whether the rule says yes. To questions and plans none does, nor to what was too large to be shown.
    public func allows(_ question: PermissionLedger.Question) -> Bool {
        guard question.kind == .tool, question.isAnswerable, let input = question.input else { return false }
        let isServer = tool.hasPrefix("mcp__") && question.toolName.hasPrefix(tool + "__")
        guard question.toolName == tool || isServer else { return false }
        switch condition {
        case .none: return true
        case .command(let wanted, let isPrefix):
            guard case .object(let members) = input, let command = members["command"]?.string,
                Set(members.keys).isSubset(of: ["command", "description", "timeout", "run_in_background"])
            else { return false }
            return command == wanted || (isPrefix && command.hasPrefix(wanted + " ") && Self.isPlain(command))
        case .path(let wanted, let isTree):
            guard let path = Self.fileMembers[tool].flatMap({ input[$0]?.string }), Self.isNormal(path) else {
                return false
            }
            return path == wanted || (isTree && path.hasPrefix(wanted + "/"))
        case .host(let wanted):
            guard let url = input["url"]?.string.flatMap({ URLComponents(string: $0) }),
                ["http", "https"].contains(url.scheme?.lowercased()), url.user == nil, url.password == nil
            else { return false }
            return url.host?.lowercased() == wanted
        }
    }
}
