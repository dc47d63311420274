import ClaudeCode
import SessionCore

/// What a line of the transcript adds to the session's log. Tools are told by their hooks, and are not said twice.
enum MessageEvent {
    /// - Parameter line: the line's name.
    static func event(of item: TranscriptItem, in line: String? = nil) -> (type: EventType, data: JSONValue)? {
        let (type, text): (EventType, String)
        switch item {
        case .userText(let said), .absorbedText(let said): (type, text) = (.messageUser, said)
        case .assistantText(let said): (type, text) = (.messageAssistant, said)
        case .thinking(let thought) where !thought.isEmpty: (type, text) = (.messageThinking, thought)
        case .thinking, .toolUse, .toolResult, .stop: return nil
        }
        var data = EventText.members(text)
        if let line { data["uuid"] = .string(line) }
        return (type, .object(data))
    }
}
