import Foundation

/// What was said, without what Claude Code adds around it.
struct Conversation {
    /// What the person typed last.
    var lastText: String
    /// How many assistant messages with tool calls came after it: which step of the turn this is.
    var step: Int
    /// Everything the person typed before that, oldest first, and what came while the turn ran: nothing acts on that.
    var earlierTexts: [String]

    init(_ messages: [ModelRequest.Message]) {
        var texts: [String] = []
        var last: Int?
        var step = 0
        for message in messages {
            if message.role != "assistant" { texts += Self.midTurnTexts(of: message) }
            if message.role == "user" {
                let text = Self.spokenText(of: message)
                // A message of tool results alone is the harness speaking, not the person.
                guard !text.isEmpty else { continue }
                last = texts.count
                texts.append(text)
                step = 0
            } else if message.role == "assistant", message.blocks.contains(.toolUse) {
                step += 1
            }
        }
        lastText = last.map { texts.remove(at: $0) } ?? ""
        earlierTexts = texts
        self.step = step
    }

    /// What Claude Code says that the person sent while a turn ran: in a reminder, or in a message of the system's.
    private static func midTurnTexts(of message: ModelRequest.Message) -> [String] {
        var found: [String] = []
        for case .text(let text) in message.blocks {
            var rest = text[...]
            while let start = rest.range(of: "The user sent a new message while you were working:\n") {
                rest = rest[start.upperBound...]
                let ends = ["\n\nThis is how Claude Code surfaces", "\n</system-reminder>"]
                let end = ends.compactMap { rest.range(of: $0)?.lowerBound }.min() ?? rest.endIndex
                found.append(rest[..<end].trimmingCharacters(in: .whitespacesAndNewlines))
                rest = rest[end...]
            }
        }
        return found
    }

    /// The text blocks of a message without `<system-reminder>` sections.
    private static func spokenText(of message: ModelRequest.Message) -> String {
        let texts = message.blocks.compactMap { block -> String? in
            guard case .text(let text) = block else { return nil }
            return text
        }
        return removingReminders(from: texts.joined(separator: "\n"))
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func removingReminders(from text: String) -> String {
        var rest = text[...]
        var spoken = ""
        while let start = rest.range(of: "<system-reminder>") {
            spoken += rest[..<start.lowerBound]
            guard let end = rest.range(of: "</system-reminder>", range: start.upperBound..<rest.endIndex) else {
                return spoken
            }
            rest = rest[end.upperBound...]
        }
        return spoken + rest
    }
}
