import Dialects
import Foundation
import NIOCore
import NIOHTTP1
import SessionCore

/// The session's MCP server, through which its model speaks to the people of the session (seed-protocols 2.5). Whoever
/// posts here is the session, and reaches its own people alone: no id in a message chooses others.
extension SessionWorker {
    /// Records of the log that are looked through for what was said.
    private static let mostLookedAt: UInt64 = 20_000

    func channel(_ body: ByteBuffer, _ call: HookCall) {
        let channel = structured?.channel
        switch ClaudeSocketTools.read(String(buffer: body), offersChannel: channel != nil) {
        case .noted: call.answer(PlainResponse(status: .accepted, headers: [:], body: ByteBuffer()))
        case .answer(let id):
            call.answer(PlainResponse(status: .accepted, headers: [:], body: ByteBuffer()))
            channel?.answered(id)
        case .answered(let answer): call.answer(.json(.ok, answer))
        case .call(let id, let tool):
            perform(tool) { text, isError in
                call.answer(.json(.ok, ClaudeSocketTools.result(id, text, isError: isError)))
            }
        }
    }

    private func perform(_ tool: ClaudeSocketTools.Call, _ done: @escaping (_ text: String, _ isError: Bool) -> Void) {
        switch tool {
        case .reply(let chat, let text):
            tell("reply", .channelReply, ["chat_id": .string(chat), "text": .string(text)], done) {
                ClaudeSocketTools.sent($0)
            }
        case .status(let chat, let status, let detail):
            var data: [String: JSONValue] = ["chat_id": .string(chat), "status": .string(status)]
            if let detail { data["detail"] = .string(detail) }
            tell("status", .channelStatus, data, done) { _ in "status sent" }
        case .fetchMessages(let limit): done(ClaudeSocketTools.lines(said(limit)), false)
        }
    }

    /// What is told is in the log before the model hears that it was sent.
    private func tell(
        _ tool: String, _ type: EventType, _ data: [String: JSONValue],
        _ done: @escaping (_ text: String, _ isError: Bool) -> Void, _ answer: @escaping (UInt64) -> String
    ) {
        guard !isOver else { return done("\(tool) failed: the session is over", true) }
        // What came before is not in the log yet.
        guard heldEvents.isEmpty else {
            return done("\(tool) failed: the session's log takes nothing at the moment; try again", true)
        }
        do throws(LogStall) {
            let event = try log.append(event: type, data: .object(data), at: Date())
            publish(event)
            log.whenStored(through: event.seq) { done(answer(event.seq), false) }
        } catch {
            done("\(tool) failed: \(error)", true)
        }
    }

    /// The last messages, as claude-socket's clients have them.
    private func said(_ limit: Int) -> [ClaudeSocketEntry] {
        var session = ClaudeSocketSession()
        var since = log.lastSequence > Self.mostLookedAt ? log.lastSequence - Self.mostLookedAt : 0
        while true {
            let reading = log.events(since: since, limit: 1 << 20)
            for event in reading.events.compactMap(ConversationEvent.init) { _ = session.apply(event) }
            since = max(since, reading.next)
            if reading.isComplete { break }
        }
        return session.history(limit: limit)
    }
}
