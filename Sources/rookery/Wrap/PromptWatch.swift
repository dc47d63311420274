import SessionCore

/// Sees on a screen whether Claude Code asks for permission: a question above numbered answers of which the first is yes.
struct PromptWatch {
    enum Change: Equatable {
        case asked(String)
        case gone
    }

    private var shown: String?

    /// What has changed since the screen was last looked at.
    mutating func look(_ lines: [String]) -> [Change] {
        let now = Self.question(lines)
        guard now != shown else { return [] }
        let changes: [Change] = (shown == nil ? [] : [.gone]) + (now.map { [.asked($0)] } ?? [])
        shown = now
        return changes
    }

    /// The question with its answers, without the box around it; nil when there is none.
    static func question(_ lines: [String]) -> String? {
        let plain = lines.map { line in
            line.trimmingPrefix { " │".contains($0) }.reversed().drop { " │".contains($0) }.reversed()
        }.map { String($0) }
        guard let yes = plain.lastIndex(where: { isAnswer($0, 1) && $0.lowercased().contains("yes") }),
            plain.indices.contains(yes + 1), isAnswer(plain[yes + 1], 2)
        else { return nil }
        var start = yes
        while start > 0, yes - start < 15, !isBorder(plain[start - 1]) { start -= 1 }
        guard plain[start..<yes].contains(where: { $0.hasSuffix("?") }) else { return nil }
        var end = yes
        while end + 1 < plain.count, isAnswer(plain[end + 1], end + 2 - yes) { end += 1 }
        // The mark moves with the arrow keys, and is not part of the question.
        let text = plain[start...end].map { $0.hasPrefix("❯") ? $0.dropFirst().trimmingPrefix { $0 == " " } : $0[...] }
        return text.drop { $0.isEmpty }.joined(separator: "\n")
    }

    private static func isAnswer(_ line: String, _ number: Int) -> Bool {
        line.trimmingPrefix { "❯ ".contains($0) }.hasPrefix("\(number). ")
    }

    private static func isBorder(_ line: String) -> Bool {
        line.count > 3 && line.allSatisfy { "─╭╮╰╯━═╌".contains($0) }
    }
}
