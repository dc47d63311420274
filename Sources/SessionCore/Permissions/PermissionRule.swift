/// What an answer that is to be remembered has the program do from then on.
public enum PermissionRule {
    /// Changes of its rules for the rest of the session, as Claude Code's `updatedPermissions` has them: what it suggests for
    /// this tool, and never a change of its mode; where it suggests nothing, this tool with this command.
    public static func remembering(_ question: PermissionLedger.Question) -> [JSONValue] {
        var changes: [JSONValue] = []
        for suggestion in question.suggestions?.array ?? [] {
            guard case .object(var members) = suggestion else { continue }
            switch members["type"]?.string {
            case "addRules" where members["behavior"]?.string == "allow", "addDirectories": break
            default: continue
            }
            members["destination"] = "session"
            changes.append(.object(members))
        }
        guard !changes.contains(where: { $0["type"]?.string == "addRules" }), isExact(question) else { return changes }
        var rule: [String: JSONValue] = ["toolName": .string(question.toolName)]
        if let command = question.input?["command"]?.string { rule["ruleContent"] = .string(command) }
        changes.append(
            ["type": "addRules", "rules": [.object(rule)], "behavior": "allow", "destination": "session"])
        return changes
    }

    /// The rule for sessions other than the one that asks: exactly what was shown to the person, for what a program suggests
    /// is the program's own. nil where that cannot be written as a rule that says nothing more.
    public static func exact(_ question: PermissionLedger.Question) -> String? {
        guard isExact(question) else { return nil }
        let rule = question.input?["command"]?.string.map { "\(question.toolName)(\($0))" } ?? question.toolName
        return rule.utf8.count <= 512 ? rule : nil
    }

    /// Nothing in the command is a wildcard, or would end the rule.
    private static func isExact(_ question: PermissionLedger.Question) -> Bool {
        let name = question.toolName
        guard !name.isEmpty, name.utf8.count <= 128,
            name.unicodeScalars.allSatisfy({
                $0.isASCII && ($0.properties.isAlphabetic || "_-0123456789".unicodeScalars.contains($0))
            })
        else { return false }
        guard let command = question.input?["command"]?.string else { return true }
        return !command.contains { "*()\n\r".contains($0) } && VisibleText.of(command) == command
    }

    /// The same as rules of Claude Code's settings: `Bash(git log:*)`.
    public static func texts(remembering question: PermissionLedger.Question) -> [String] {
        remembering(question).flatMap { change -> [String] in
            guard change["type"]?.string == "addRules" else { return [] }
            return (change["rules"]?.array ?? []).compactMap { rule in
                guard let tool = rule["toolName"]?.string else { return nil }
                return rule["ruleContent"]?.string.map { "\(tool)(\($0))" } ?? tool
            }
        }
    }
}

extension PermissionAnswer {
    /// The input that the tool gets, where it is another than it asked for; of a question, with its answers.
    public func input(for question: PermissionLedger.Question) -> JSONValue? {
        guard let answers, case .object(var members) = updatedInput ?? question.input ?? [:] else {
            return updatedInput
        }
        members["answers"] = .object(answers.mapValues { .string($0) })
        return .object(members)
    }
}
