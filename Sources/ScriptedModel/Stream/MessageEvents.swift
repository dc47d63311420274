import Foundation

/// The Messages API's server-sent events for one answer: the least that Claude Code accepts.
struct MessageEvents {
    static let usage =
        #""input_tokens":25,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"service_tier":"standard""#

    let model: String
    let messageID = identifier("msg_")

    var start: String {
        event(
            "message_start",
            #""message":{"id":"\#(messageID)","type":"message","role":"assistant","model":\#(JSONText.string(model)),"#
                + #""content":[],"stop_reason":null,"stop_sequence":null,"usage":{\#(Self.usage),"output_tokens":1}}"#)
    }

    var ping: String { event("ping") }

    func stop(reason: String, outputTokens: Int) -> String {
        event(
            "message_delta",
            #""delta":{"stop_reason":"\#(reason)","stop_sequence":null},"usage":{"output_tokens":\#(outputTokens)}"#)
            + event("message_stop")
    }

    func blockStart(_ index: Int, _ block: ScriptedPlan.Block) -> String {
        let content =
            switch block {
            case .text: #"{"type":"text","text":""}"#
            case .thinking: #"{"type":"thinking","thinking":"","signature":""}"#
            case .tool(let name, _):
                #"{"type":"tool_use","id":"\#(identifier("toolu_"))","name":\#(JSONText.string(name)),"input":{}}"#
            }
        return event("content_block_start", #""index":\#(index),"content_block":\#(content)"#)
    }

    func blockStop(_ index: Int) -> String { event("content_block_stop", #""index":\#(index)"#) }

    /// The deltas of a block, one event each.
    func deltas(_ index: Int, _ block: ScriptedPlan.Block) -> [String] {
        switch block {
        case .text(let pieces):
            return pieces.map { delta(index, #""type":"text_delta","text":\#(JSONText.string($0))"#) }
        case .thinking(let thought):
            return [
                delta(index, #""type":"thinking_delta","thinking":\#(JSONText.string(thought))"#),
                delta(index, #""type":"signature_delta","signature":"c2NyaXB0ZWQ=""#),
            ]
        case .tool(_, let input):
            return sequence(first: input[...]) { $0.dropFirst(40) }.prefix { !$0.isEmpty }.map {
                delta(index, #""type":"input_json_delta","partial_json":\#(JSONText.string(String($0.prefix(40))))"#)
            }
        }
    }

    func error(_ type: String, _ message: String) -> String {
        event("error", #""error":{"type":"\#(type)","message":\#(JSONText.string(message))}"#)
    }

    private func delta(_ index: Int, _ members: String) -> String {
        event("content_block_delta", #""index":\#(index),"delta":{\#(members)}"#)
    }

    private func event(_ type: String, _ members: String = "") -> String {
        let rest = members.isEmpty ? "" : "," + members
        return "event: \(type)\ndata: {\"type\":\"\(type)\"\(rest)}\n\n"
    }
}

/// The answer to a request without `stream`, as one document.
func completeMessage(_ plan: ScriptedPlan, model: String) -> String {
    let content = plan.blocks.compactMap { block -> String? in
        switch block {
        case .text(let pieces): #"{"type":"text","text":\#(JSONText.string(pieces.joined()))}"#
        case .thinking: nil
        case .tool(let name, let input):
            #"{"type":"tool_use","id":"\#(identifier("toolu_"))","name":\#(JSONText.string(name)),"input":\#(input)}"#
        }
    }
    return #"{"id":"\#(identifier("msg_"))","type":"message","role":"assistant","model":\#(JSONText.string(model)),"#
        + #""content":[\#(content.joined(separator: ","))],"stop_reason":"\#(plan.stopReason)","stop_sequence":null,"#
        + #""usage":{\#(MessageEvents.usage),"output_tokens":12}}"#
}

extension ScriptedPlan {
    var stopReason: String {
        blocks.contains { if case .tool = $0 { true } else { false } } ? "tool_use" : "end_turn"
    }
}

private func identifier(_ prefix: String) -> String {
    prefix + UUID().uuidString.replacing("-", with: "").lowercased().prefix(22)
}
