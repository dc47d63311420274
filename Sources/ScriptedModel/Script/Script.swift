import Foundation

/// The scripted model's mind: a request in, a plan out, nothing else. The keywords:
///
///     SAY text            answer with the text            LONG n        n words, quickly
///     DRIP n s            n words, s seconds apart        SLOW s        think for s seconds first
///     THINK text          a thinking block first          RECALL        what was said before
///     BASH command        call Bash                       WRITE path text, READ path
///     TOOL name json      call any tool                   LOOP n        n Bash steps one after another
///     PAR n, PARREAD n, PARFETCH n                        n calls in one message
///     ERR status [count]  an HTTP error                   MIDERR, CUT, HANG
///
/// Without one it echoes.
public enum Script {
    /// Bounds what one prompt can make the script produce.
    static let largestCount = 100_000

    public static func plan(_ request: ModelRequest) -> ScriptedPlan {
        let conversation = Conversation(request.messages)
        var plan = ScriptedPlan()
        plan.text = conversation.lastText
        plan.step = conversation.step

        // A system prompt but no tools: one of Claude Code's own side questions (titles, summaries), which carry the
        // person's text but must not act on it.
        guard !(request.toolNames.isEmpty && request.hasSystemPrompt) else {
            plan.blocks = [.text(["side-query reply"])]
            return plan
        }

        let said = KeywordScanner(conversation.lastText)
        if let slow = said.numbers("SLOW") { plan.pause = .seconds(min(slow.first, 86_400)) }
        if let error = said.numbers("ERR"), (400...599).contains(error.first) {
            plan.refusal = .init(status: Int(error.first), times: error.second.map { Int($0) })
        }
        if said.contains("HANG") {
            plan.ending = .hang
        } else if said.contains("MIDERR") {
            plan.ending = .errorEvent
        } else if said.contains("CUT") {
            plan.ending = .cut
        }
        if let calls = toolCalls(said, step: conversation.step) {
            plan.blocks = calls
        } else if conversation.step > 0 {
            plan.blocks = [.text(["done"])]
        } else {
            answer(said, conversation, &plan)
        }
        return plan
    }

    /// The blocks of a step that calls tools; nil when this step calls none.
    private static func toolCalls(_ said: KeywordScanner, step: Int) -> [ScriptedPlan.Block]? {
        if let steps = said.count("LOOP", limit: largestCount) {
            guard step < steps else { return [.text(["loop finished"])] }
            return [
                .text(["step \(step + 1) of \(steps). "]),
                bash("echo step-\(step + 1)", "Echo step \(step + 1)"),
            ]
        }
        guard step == 0 else { return nil }
        if let calls = said.count("PAR", limit: 100) {
            return [.text(["parallel. "])] + (0..<calls).map { bash("touch par-\($0)", "Touch \($0)") }
        }
        if let calls = said.count("PARFETCH", limit: 100) {
            return [.text(["parallel fetch. "])]
                + (0..<calls).map { tool("WebFetch", ["url": "http://example\($0).test/", "prompt": "x"]) }
        }
        if let calls = said.count("PARREAD", limit: 100) {
            return [.text(["parallel read. "])]
                + (0..<calls).map { tool("Read", ["file_path": $0.isMultiple(of: 2) ? "/etc/hosts" : "/etc/hostname"]) }
        }
        if let command = said.line("BASH") {
            return [.text(["I will run it. "]), bash(command, "Run the requested command")]
        }
        if let write = said.wordAndLine("WRITE") {
            return [
                .text(["Writing. "]), tool("Write", ["file_path": write.word, "content": write.rest + "\n"]),
            ]
        }
        if let path = said.word("READ") { return [tool("Read", ["file_path": path])] }
        if let call = said.wordAndLine("TOOL"), isObject(call.rest) {
            return [.text(["Calling. "]), .tool(name: call.word, input: call.rest)]
        }
        return nil
    }

    /// A step that only speaks.
    private static func answer(_ said: KeywordScanner, _ conversation: Conversation, _ plan: inout ScriptedPlan) {
        if let thought = said.line("THINK") {
            plan.blocks = [.thinking(thought), .text(["thought about it"])]
        } else if said.contains("RECALL") {
            let list = conversation.earlierTexts.enumerated().map { "\($0.offset + 1). \($0.element)" }
            plan.blocks = [.text([list.isEmpty ? "nothing was said before" : list.joined(separator: "\n")])]
        } else if let words = said.count("LONG", limit: largestCount) {
            plan.pieceDelay = .milliseconds(10)
            plan.blocks = [.text((0..<words).map { "word\($0) " })]
        } else if let drip = said.numbers("DRIP"), let seconds = drip.second {
            plan.pieceDelay = .seconds(min(seconds, 3600))
            plan.blocks = [.text((0..<min(Int(drip.first), largestCount)).map { "drip\($0) " })]
        } else {
            plan.blocks = [.text(pieces(of: said.line("SAY") ?? "echo: \(conversation.lastText.suffix(400))"))]
        }
    }

    /// Twenty characters each, so that an answer really streams.
    private static func pieces(of text: String) -> [String] {
        var rest = text[...]
        var pieces: [String] = []
        while !rest.isEmpty {
            pieces.append(String(rest.prefix(20)))
            rest = rest.dropFirst(20)
        }
        return pieces
    }

    private static func bash(_ command: String, _ description: String) -> ScriptedPlan.Block {
        tool("Bash", ["command": command, "description": description])
    }

    private static func tool(_ name: String, _ input: [String: String]) -> ScriptedPlan.Block {
        .tool(name: name, input: JSONText.object(input))
    }

    private static func isObject(_ text: String) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(text.utf8))) is [String: Any]
    }
}
