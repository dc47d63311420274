public import Foundation
public import NIOCore

/// One session's ordered log: terminal output, accepted inputs, resizes and events, each with a sequence number
/// that rises strictly. ``MemoryLog`` keeps the newest part in memory; a journal on disk has the same face.
///
/// Appending fails only while the disk takes nothing; then nothing was appended.
///
/// A log belongs to one event loop (or actor) and is not `Sendable`.
public protocol SessionLog: AnyObject {
    var sessionID: SessionID { get }
    var incarnation: Int { get }
    /// The number of the newest record; one less than the first number before anything was appended.
    var lastSequence: UInt64 { get }

    /// Appends terminal output and answers its number. Small outputs share storage, each keeps its own number.
    @discardableResult
    func append(output: ByteBuffer, at time: Date) throws(LogStall) -> UInt64

    /// Appends an input, unless the same sender already sent one under the same client id.
    func append(input: AcceptedInput, at time: Date) throws(LogStall) -> InputAcceptance

    /// Appends a new size of the terminal.
    @discardableResult
    func append(resize: TerminalSize, at time: Date) throws(LogStall) -> UInt64

    /// Appends an event, stamped with the session, the incarnation and its number.
    @discardableResult
    func append(event type: EventType, data: JSONValue, at time: Date) throws(LogStall) -> SessionEvent

    /// The records with numbers above `since`, oldest first, of the kinds asked for. Stops after about `limit`
    /// bytes (at least one record is given if there is one); ``LogReading/next`` says where to go on.
    func read(since: UInt64, kinds: LogKinds, limit: Int) -> LogReading

    /// True when what follows on `since` is in memory, and reading it costs nothing.
    func isRecent(_ since: UInt64, kinds: LogKinds) -> Bool

    /// Calls back when everything through `seq` is stored as safely as this log can: at once for one in memory,
    /// after the disk has it for a journal.
    func whenStored(through seq: UInt64, _ done: @escaping () -> Void)
}

extension SessionLog {
    /// A record as the event the outside sees; nil for terminal output and for single keys.
    public func event(for entry: LogEntry) -> SessionEvent? {
        entry.event(of: sessionID, incarnation: entry.incarnation ?? incarnation)
    }

    /// What ``read(since:kinds:limit:)`` gives of events, as the outside sees it: a loss comes first, as a `gap`, which takes
    /// no number of its own.
    public func events(since: UInt64, limit: Int) -> (events: [SessionEvent], next: UInt64, isComplete: Bool) {
        let reading = read(since: since, kinds: .events, limit: limit)
        var events = reading.entries.compactMap(event(for:))
        if let gap = reading.gap {
            events.insert(
                SessionEvent(
                    seq: gap.through, time: Date(), sessionID: sessionID, incarnation: incarnation, type: .gap,
                    data: gap.data), at: 0)
        }
        return (events, reading.next, reading.complete)
    }
}

extension LogEntry {
    /// The record as the event the outside sees: `input.accepted` for typed text, `terminal.resized` for a resize.
    /// nil for terminal output and for single keys.
    public func event(of session: SessionID, incarnation: Int) -> SessionEvent? {
        let (type, data): (EventType, JSONValue)
        switch record {
        case .output: return nil
        case .event(let event): return event
        case .resize(let size):
            (type, data) = (.terminalResized, ["cols": .integer(Int64(size.cols)), "rows": .integer(Int64(size.rows))])
        case .input(let input):
            var members: [String: JSONValue] = ["by": .string(input.sender)]
            switch input.content {
            case .keys: return nil
            case .text(let text, let submit):
                members["text"] = .string(text)
                members["submit"] = .bool(submit)
            case .prompt(let text, let images):
                members["text"] = .string(text)
                members["submit"] = true
                members["prompt_id"] = .string(PromptID(session: session, seq: seq).description)
                if !images.isEmpty { members["images"] = .integer(Int64(images.count)) }
            }
            if let clientID = input.clientID { members["client_id"] = .string(clientID) }
            (type, data) = (.inputAccepted, .object(members))
        }
        return SessionEvent(
            seq: seq, time: time, sessionID: session, incarnation: incarnation, type: type, data: data)
    }
}

/// One record of a log.
public struct LogEntry: Sendable {
    public var seq: UInt64
    public var time: Date
    /// nil: that of the log it is from.
    public var incarnation: Int?
    public var record: LogRecord

    public init(seq: UInt64, time: Date, incarnation: Int? = nil, record: LogRecord) {
        self.seq = seq
        self.time = time
        self.incarnation = incarnation
        self.record = record
    }
}

public enum LogRecord: Sendable {
    /// Terminal bytes. Several appends may come as one entry, whose number is that of the last.
    case output(ByteBuffer)
    case input(AcceptedInput)
    case resize(TerminalSize)
    case event(SessionEvent)
}

/// Kinds of records, for a reader that wants some of them.
public struct LogKinds: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let output = LogKinds(rawValue: 1)
    public static let input = LogKinds(rawValue: 2)
    public static let resize = LogKinds(rawValue: 4)
    public static let event = LogKinds(rawValue: 8)

    /// What replays a terminal: output and resizes.
    public static let terminal: LogKinds = [.output, .resize]
    /// What the event stream shows: everything but output.
    public static let events: LogKinds = [.input, .resize, .event]
    public static let all: LogKinds = [.output, .input, .resize, .event]
}

/// What a reader got.
public struct LogReading: Sendable {
    /// Set when records above `since` of the kinds asked for are gone.
    public var gap: LogGap?
    public var entries: [LogEntry]
    /// Read on from here: pass it as `since`.
    public var next: UInt64
    /// False when the limit cut the reading short.
    public var complete: Bool

    public init(gap: LogGap?, entries: [LogEntry], next: UInt64, complete: Bool) {
        self.gap = gap
        self.entries = entries
        self.next = next
        self.complete = complete
    }
}

/// Records that a reader asked for and the log no longer holds.
public struct LogGap: Sendable, Hashable {
    /// Above this number (what the reader already had).
    public var after: UInt64
    /// Through this number.
    public var through: UInt64

    public init(after: UInt64, through: UInt64) {
        self.after = after
        self.through = through
    }

    /// Of a `gap` event.
    public var data: JSONValue {
        ["after": .integer(Int64(clamping: after)), "through": .integer(Int64(clamping: through))]
    }
}

/// One input, as a client sent it.
public struct AcceptedInput: Sendable, Hashable {
    public enum Content: Sendable, Hashable {
        /// Text to type; `submit` presses Enter after it.
        case text(String, submit: Bool)
        /// A prompt of a structured session.
        case prompt(String, images: [PromptImage])
        /// Keys as the terminal's bytes.
        case keys(ByteBuffer)
    }

    public var content: Content
    /// Who sent it, as authenticated.
    public var sender: String
    /// The sender's own name of this input, for sending it again without typing it twice.
    public var clientID: String?

    public init(content: Content, sender: String, clientID: String? = nil) {
        self.content = content
        self.sender = sender
        self.clientID = clientID
    }
}

extension AcceptedInput {
    /// As it stays in memory: images are in the journal alone.
    var withoutImageData: AcceptedInput {
        guard case .prompt(let text, let images) = content, !images.isEmpty else { return self }
        var input = self
        input.content = .prompt(text, images: images.map { PromptImage(mediaType: $0.mediaType, data: "") })
        return input
    }
}

public enum InputAcceptance: Sendable, Hashable {
    /// In the log under this number: apply it.
    case accepted(seq: UInt64)
    /// It was accepted before under this number: answer the same, do not apply it again.
    case duplicate(seq: UInt64)

    public var seq: UInt64 {
        switch self {
        case .accepted(let seq), .duplicate(let seq): seq
        }
    }
}
