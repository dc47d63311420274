import ClaudeCode
import SessionCore

/// What a line of the transcript adds to the session's log. Tools are told by their hooks, and are not said twice.
enum MessageEvent {
    static func event(of item: TranscriptItem) -> (type: EventType, data: JSONValue)? {
        switch item {
        case .userText(let text): (.messageUser, .object(EventText.members(text)))
        case .assistantText(let text): (.messageAssistant, .object(EventText.members(text)))
        case .thinking(let text): text.isEmpty ? nil : (.messageThinking, .object(EventText.members(text)))
        case .toolUse, .toolResult, .stop: nil
        }
    }
}
