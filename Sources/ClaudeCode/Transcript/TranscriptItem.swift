/// What one content block of a transcript line says. Lines that say none of these give no item.
public enum TranscriptItem: Sendable, Hashable {
    case userText(String)
    /// Sent while a turn ran, and taken into it. Observed of version 2.1.329.
    case absorbedText(String)
    case assistantText(String)
    case thinking(String)
    /// `input` is JSON text with sorted keys.
    case toolUse(id: String, name: String, input: String)
    case toolResult(id: String, isError: Bool, text: String)
    /// The turn is over.
    case stop(TranscriptStop)
}

public enum TranscriptStop: Sendable, Hashable {
    /// A `system` line: with a `stopReason` (written when a Stop hook ran), or `turn_duration`.
    case ended
    /// `[Request interrupted by user]`, or the same `for tool use`.
    case interrupted(duringTool: Bool)
}

extension TranscriptItem {
    /// Lines of subagents (`isSidechain`) and the CLI's own notes (`isMeta`) give nothing.
    static func items(of object: JSONObject) -> [TranscriptItem] {
        guard let type = object.string("type"), object.bool("isSidechain") != true else { return [] }
        switch type {
        case "system":
            let ends = object.has("stopReason") || object.string("subtype") == "turn_duration"
            return ends ? [.stop(.ended)] : []
        case "user" where object.bool("isMeta") != true:
            return userItems(object.object("message"))
        case "attachment": return absorbedItems(object.object("attachment"))
        case "assistant":
            return blocks(object.object("message")).compactMap(assistantItem)
        default:
            return []
        }
    }

    private static func blocks(_ message: JSONObject?) -> [JSONObject] {
        (message?.array("content") ?? []).compactMap { ($0 as? [String: Any]).map(JSONObject.init) }
    }

    private static func userItems(_ message: JSONObject?) -> [TranscriptItem] {
        if let text = message?.string("content") { return [userText(text: text)] }
        return blocks(message).compactMap { block in
            switch block.string("type") {
            case "text": block.string("text").map(userText(text:))
            case "tool_result":
                .toolResult(
                    id: block.string("tool_use_id") ?? "", isError: block.bool("is_error") ?? false,
                    text: resultText(block))
            default: nil
            }
        }
    }

    private static func absorbedItems(_ attachment: JSONObject?) -> [TranscriptItem] {
        guard let attachment, attachment.string("type") == "queued_command",
            attachment.string("commandMode") ?? "prompt" == "prompt"
        else { return [] }
        if let text = attachment.string("prompt") { return [.absorbedText(text)] }
        let texts = attachment.objects("prompt").compactMap { $0.string("text") }
        return texts.isEmpty ? [] : [.absorbedText(texts.joined(separator: "\n"))]
    }

    private static func userText(text: String) -> TranscriptItem {
        switch text {
        case "[Request interrupted by user]": .stop(.interrupted(duringTool: false))
        case "[Request interrupted by user for tool use]": .stop(.interrupted(duringTool: true))
        default: .userText(text)
        }
    }

    private static func assistantItem(_ block: JSONObject) -> TranscriptItem? {
        switch block.string("type") {
        case "text": block.string("text").map { .assistantText($0) }
        case "thinking": .thinking(block.string("thinking") ?? "")
        case "tool_use":
            .toolUse(
                id: block.string("id") ?? "", name: block.string("name") ?? "", input: block.text("input") ?? "{}")
        default: nil
        }
    }

    /// The text of a tool's result, which is a string or a list of blocks.
    private static func resultText(_ block: JSONObject) -> String {
        if let text = block.string("content") { return text }
        return (block.array("content") ?? [])
            .compactMap { (($0 as? [String: Any]).map(JSONObject.init))?.string("text") }
            .joined(separator: "\n")
    }
}
