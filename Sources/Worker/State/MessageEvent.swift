import ClaudeCode
import SessionCore

/// What a line of the transcript adds to the session's log. Tools are told by their hooks, and are not said twice.
enum MessageEvent {
    /// Bytes of one message's text in the log; the transcript itself has the rest.
    static let longestText = 32 * 1024

    static func event(of item: TranscriptItem) -> (type: EventType, data: JSONValue)? {
        switch item {
        case .userText(let text): (.messageUser, data(text))
        case .assistantText(let text): (.messageAssistant, data(text))
        case .thinking(let text): text.isEmpty ? nil : (.messageThinking, data(text))
        case .toolUse, .toolResult, .stop: nil
        }
    }

    private static func data(_ text: String) -> JSONValue {
        let size = text.utf8.count
        guard size > longestText else { return ["text": .string(text)] }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: longestText)
        // Not amid a character.
        while text.utf8[end] & 0b1100_0000 == 0b1000_0000 { end = text.utf8.index(before: end) }
        return ["text": .string(String(text[..<end])), "truncated": .bool(true), "bytes": .integer(Int64(size))]
    }
}
