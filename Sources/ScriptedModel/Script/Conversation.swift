import Foundation

/// What was said, without what Claude Code adds around it.
struct Conversation {
    /// What the person typed last.
    var lastText: String
    /// How many assistant messages with tool calls came after it: which step of the turn this is.
    var step: Int
    /// Everything the person typed before that, oldest first.
    var earlierTexts: [String]

    init(_ messages: [ModelRequest.Message]) {
        var texts: [String] = []
        var step = 0
        for message in messages {
            if message.role == "user" {
                let text = Self.spokenText(of: message)
                // A message of tool results alone is the harness speaking, not the person.
                guard !text.isEmpty else { continue }
                texts.append(text)
                step = 0
            } else if message.role == "assistant", message.blocks.contains(.toolUse) {
                step += 1
            }
        }
        lastText = texts.popLast() ?? ""
        earlierTexts = texts
        self.step = step
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
