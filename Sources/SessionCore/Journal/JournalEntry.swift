public import Foundation
import NIOCore

/// One record of a journal, with what only the disk knows of it.
public struct JournalEntry: Sendable {
    public var seq: UInt64
    public var time: Date
    /// Nanoseconds of the machine's monotonic clock, for the distances between records of one incarnation.
    public var monotonic: UInt64
    public var incarnation: Int
    public var record: LogRecord

    /// Bytes that it counts for in a reading's limit.
    var cost: Int {
        switch record {
        case .output(let bytes): bytes.readableBytes
        case .input, .resize, .event: 256
        }
    }

    public var entry: LogEntry { LogEntry(seq: seq, time: time, incarnation: incarnation, record: record) }

    public init(seq: UInt64, time: Date, monotonic: UInt64, incarnation: Int, record: LogRecord) {
        self.seq = seq
        self.time = time
        self.monotonic = monotonic
        self.incarnation = incarnation
        self.record = record
    }

    /// nil for what no reader is shown, and for what a later version wrote.
    init?(_ head: RecordHead, _ payload: UnsafeRawBufferPointer, session: SessionID) {
        seq = head.seq
        time = Date(timeIntervalSince1970: Double(head.wall) / 1e9)
        monotonic = head.monotonic
        incarnation = Int(head.incarnation)
        switch RecordHead.Kind(rawValue: head.kind) {
        case .output: record = .output(ByteBuffer(bytes: payload))
        case .input:
            guard let input = RecordPayload.input(payload) else { return nil }
            record = .input(input)
        case .resize:
            guard let size = RecordPayload.size(payload) else { return nil }
            record = .resize(size)
        case .event:
            guard let (type, data) = RecordPayload.event(payload) else { return nil }
            record = .event(
                SessionEvent(
                    seq: seq, time: time, sessionID: session, incarnation: incarnation, type: type, data: data))
        case .delivering, .closed, nil: return nil
        }
    }
}

/// What a ``JournalReader`` got; see ``LogReading``.
public struct JournalReading: Sendable {
    public var gap: LogGap?
    public var entries: [JournalEntry]
    public var next: UInt64
    public var complete: Bool
}

/// One file of a journal.
public struct JournalSegment: Sendable, Hashable {
    /// The number of its first record.
    public var first: UInt64
    /// Bytes.
    public var size: Int
    public var created: Date
    /// Its terminal output was dropped.
    public var isThinned: Bool
}

extension LogKinds {
    func contains(_ head: RecordHead) -> Bool {
        switch RecordHead.Kind(rawValue: head.kind) {
        case .output: contains(.output)
        case .input: contains(.input)
        case .resize: contains(.resize)
        case .event: contains(.event)
        case .delivering, .closed, nil: false
        }
    }
}
