import Dialects
import Foundation
import NIOCore
import SessionCore

/// Why an input is not taken.
enum InputRefusal: Error {
    case backlog, tooLarge, over

    var code: String {
        switch self {
        case .backlog: "input_backlog"
        case .tooLarge: "input_too_large"
        case .over: "session_over"
        }
    }

    var detail: String {
        switch self {
        case .backlog: "the session does not read its input; wait until it does, or interrupt it"
        case .tooLarge: "a text of more than \(SessionWorker.largestText) bytes cannot be typed; put it in a file"
        case .over: "the session's command has ended"
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
        guard text.utf8.count <= Self.largestText else { throw .tooLarge }
        let keys = TypedText.keys(for: text)
        guard input.hasRoom(for: keys.readableBytes) else { throw .backlog }
        let now = Date()
        let accepted = AcceptedInput(content: .text(text, submit: submit), sender: sender, clientID: clientID)
        let acceptance = log.append(input: accepted, at: now)
        // Before anybody hears of it: what is accepted finds a session that is not frozen.
        if case .accepted = acceptance { typed(at: now) }
        log.whenStored(through: acceptance.seq) { stored(acceptance.seq) }
        guard case .accepted(let seq) = acceptance else { return }
        if let event = log.event(for: LogEntry(seq: seq, time: now, record: .input(accepted))) { publish(event) }
        input.type(
            InputQueue.Typing(keys: keys, enter: submit, pause: pause) { delivered in
                guard delivered else { return }
                var data: [String: JSONValue] = ["input_seq": .integer(Int64(clamping: seq))]
                if let clientID { data["client_id"] = .string(clientID) }
                self.emit(.inputDelivered, .object(data))
            })
    }

    /// Single keys, as a person's terminal sends them.
    func send(keys: ByteBuffer, sender: String) throws(InputRefusal) {
        guard keys.readableBytes > 0 else { return }
        guard !isOver else { throw .over }
        guard input.hasRoom(for: keys.readableBytes) else { throw .backlog }
        let now = Date()
        _ = log.append(input: AcceptedInput(content: .keys(keys), sender: sender), at: now)
        announcement.keysWereTyped()
        input.send(keys: keys)
        typed(at: now)
    }

    /// Keys with Enter after a pause: echokit's `select`.
    func send(paced keys: ByteBuffer, pause: Int64, sender: String) throws(InputRefusal) {
        guard !isOver else { throw .over }
        guard input.hasRoom(for: keys.readableBytes) else { throw .backlog }
        let now = Date()
        var all = keys
        all.writeInteger(UInt8(0x0d))
        _ = log.append(input: AcceptedInput(content: .keys(all), sender: sender), at: now)
        input.type(InputQueue.Typing(keys: keys, enter: true, pause: pause) { _ in })
        typed(at: now)
    }

    /// Escape, when there is a turn to cancel: pressed at rest it would open a dialog.
    func interrupt(sender: String) throws(InputRefusal) {
        thaw()
        guard engine.view.activity != .idle || engine.view.source == .silence else { return }
        try send(keys: ByteBuffer(bytes: EchokitKeys.cancel), sender: sender)
    }

    private func typed(at now: Date) {
        thaw()
        let time = MonotonicTime.now
        if inputTime.map({ time.since($0) > 0.2 }) ?? true { observe(.typed) }
        lastInput = now
        inputTime = time
    }
}
