import ClaudeCode
import Dialects
import Foundation
import NIOCore
import SessionCore

/// Why an input is not taken.
enum InputRefusal: Error {
    case backlog, tooLarge, over, empty
    /// A structured session has no terminal to type into.
    case notTerminal
    case full(LogStall)

    var code: String {
        switch self {
        case .backlog: "input_backlog"
        case .tooLarge: "input_too_large"
        case .over: "session_over"
        case .empty: "empty_prompt"
        case .notTerminal: "not_terminal"
        case .full: "journal_full"
        }
    }

    var detail: String {
        switch self {
        case .backlog: "the session does not read its input; wait until it does, or interrupt it"
        case .tooLarge: "a text of more than \(SessionWorker.largestText) bytes cannot be typed; put it in a file"
        case .over: "the session's command has ended"
        case .empty: "there is nothing in it"
        case .notTerminal: "a structured session has no terminal: it takes whole prompts, and no keys"
        case .full(let stall): "the input cannot be stored: \(stall)"
        }
    }
}

extension SessionWorker {
    static let largestText = 256 * 1024

    /// Types text. It is in the log when this returns; `stored` is called when the log is as safe as it gets.
    func type(
        _ text: String, submit: Bool, clientID: String?, sender: String, pause: Int64 = TypedText.pause,
        stored: @escaping (UInt64) -> Void = { _ in }
    ) throws(InputRefusal) {
        guard !isOver else { throw .over }
        if let structured {
            guard submit else { throw .notTerminal }
            return try structured.prompt(text, images: [], clientID: clientID, sender: sender) { id, _ in
                stored(id.seq)
            }
        }
        guard text.utf8.count <= Self.largestText else { throw .tooLarge }
        let keys = TypedText.keys(for: text)
        guard input.hasRoom(for: keys.readableBytes) else { throw .backlog }
        let now = Date()
        let accepted = AcceptedInput(content: .text(text, submit: submit), sender: sender, clientID: clientID)
        let acceptance = try accept(accepted, at: now)
        log.whenStored(through: acceptance.seq) { stored(acceptance.seq) }
        guard case .accepted(let seq) = acceptance else { return }
        input.type(typing(keys, submit: submit, pause: pause, seq: seq, clientID: clientID))
    }

    /// An accepted text on its way: the log says when it is about to be given to the terminal, and when it was.
    func typing(
        _ keys: ByteBuffer, submit: Bool, pause: Int64, seq: UInt64, clientID: String?,
        begin: @escaping () -> InputQueue.Beginning = { .type }
    ) -> InputQueue.Typing {
        InputQueue.Typing(
            keys: keys, enter: submit, pause: pause,
            begin: { [unowned self] in
                // A program that is being ended would take it along: the next one gets it.
                guard stop == nil else { return .wait }
                let beginning = begin()
                guard beginning == .type, let journal else { return beginning }
                do { try journal.append(delivering: seq, at: Date()) } catch { return .wait }
                return .type
            },
            done: { [unowned self] delivered in
                guard delivered else { return }
                lastDelivery = .now()
                emit(.inputDelivered, deliveryData(seq, clientID))
            })
    }

    func deliveryData(_ seq: UInt64, _ clientID: String?, found: Bool = false) -> JSONValue {
        var data: [String: JSONValue] = ["input_seq": .integer(Int64(clamping: seq))]
        if let clientID { data["client_id"] = .string(clientID) }
        if found { data["found"] = true }
        return .object(data)
    }

    /// Takes a text or a prompt into the log, and tells of it.
    func accept(_ input: AcceptedInput, at now: Date) throws(InputRefusal) -> InputAcceptance {
        let acceptance = try append(input, at: now)
        guard case .accepted(let seq) = acceptance else { return acceptance }
        // Before anybody hears of it: what is accepted finds a session that is not frozen.
        thaw()
        // In the order of the log: what is seen of it comes after it.
        if let event = log.event(for: LogEntry(seq: seq, time: now, record: .input(input))) { publish(event) }
        typed(at: now)
        return acceptance
    }

    private func append(_ input: AcceptedInput, at now: Date) throws(InputRefusal) -> InputAcceptance {
        do { return try log.append(input: input, at: now) } catch { throw .full(error) }
    }

    /// Single keys, as a person's terminal sends them.
    func send(keys: ByteBuffer, sender: String) throws(InputRefusal) {
        guard keys.readableBytes > 0 else { return }
        guard !isOver else { throw .over }
        guard structured == nil else { throw .notTerminal }
        guard input.hasRoom(for: keys.readableBytes) else { throw .backlog }
        let now = Date()
        _ = try append(AcceptedInput(content: .keys(keys), sender: sender), at: now)
        announcement.keysWereTyped()
        input.send(keys: keys)
        typed(at: now)
    }

    /// Keys with Enter after a pause: echokit's `select`.
    func send(paced keys: ByteBuffer, pause: Int64, sender: String) throws(InputRefusal) {
        guard !isOver else { throw .over }
        guard structured == nil else { throw .notTerminal }
        guard input.hasRoom(for: keys.readableBytes) else { throw .backlog }
        let now = Date()
        var all = keys
        all.writeInteger(UInt8(0x0d))
        _ = try append(AcceptedInput(content: .keys(all), sender: sender), at: now)
        input.type(InputQueue.Typing(keys: keys, enter: true, pause: pause) { _ in })
        typed(at: now)
    }

    /// Escape, when there is a turn to cancel: pressed at rest it would open a dialog.
    func interrupt(sender: String) throws(InputRefusal) {
        thaw()
        if let structured { return structured.exchange.ask(.interrupt) { _ in } }
        guard engine.view.activity != .idle || engine.view.source == .silence else { return }
        try send(keys: ByteBuffer(bytes: EchokitKeys.cancel), sender: sender)
    }

    func typed(at now: Date) {
        thaw()
        let time = MonotonicTime.now
        if inputTime.map({ time.since($0) > 0.2 }) ?? true { observe(.typed) }
        lastInput = now
        inputTime = time
    }
}
