import ClaudeCode
import SessionCore

/// The tools of an incarnation that was killed, brought to their ends by its transcript.
struct MissedTools {
    /// In the order in which they started.
    private var tools: [JournalRecovery.Tool]

    init(_ tools: [JournalRecovery.Tool]) { self.tools = tools }

    /// - Parameter isMissed: nobody has read the line that the item is of.
    mutating func event(of item: TranscriptItem, isMissed: Bool) -> (type: EventType, data: JSONValue)? {
        switch item {
        case .toolUse(let id, let name, let input):
            guard isMissed, !tools.contains(where: { $0.id == id }) else { return nil }
            tools.append(JournalRecovery.Tool(id: id, name: name, isOpen: true))
            let data: JSONValue = [
                "tool_use_id": .string(id), "tool_name": .string(name), "tool_input": EventText.input(input),
                "recovered": true,
            ]
            return (.toolStarted, data)
        case .toolResult(let id, let isError, let text):
            guard let index = tools.firstIndex(where: { $0.id == id && $0.isOpen }) else { return nil }
            tools[index].isOpen = false
            var data: [String: JSONValue] = [
                "tool_use_id": .string(id), "tool_name": .string(tools[index].name), "is_error": .bool(isError),
                "output": EventText.cut(text), "recovered": true,
            ]
            if isError { data["error"] = EventText.cut(text) }
            return (.toolCompleted, .object(data))
        case .userText, .absorbedText, .assistantText, .thinking, .stop: return nil
        }
    }

    /// Those without a result ended with the incarnation.
    var ends: [(type: EventType, data: JSONValue)] {
        tools.filter(\.isOpen).map { tool in
            let data: JSONValue = [
                "tool_use_id": .string(tool.id), "tool_name": .string(tool.name), "is_error": true, "interrupted": true,
            ]
            return (.toolCompleted, data)
        }
    }
}
