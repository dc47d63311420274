public import Foundation
public import NIOCore

/// The newest part of a session's log, in memory: terminal output bounded in bytes, the other records in number.
public final class MemoryLog: SessionLog {
    public let sessionID: SessionID
    public let incarnation: Int
    public private(set) var lastSequence: UInt64

    private let outputLimit: Int
    private let chunkLimit: Int
    private let recordLimit: Int

    private var chunks: CircularBuffer<OutputChunk> = []
    /// The newest chunk takes more output: nothing else was appended since, and it has room.
    private var chunkIsOpen = false
    private var outputBytes = 0
    private var outputLostThrough: UInt64

    private var records: CircularBuffer<LogEntry> = []
    private var recordsLostThrough: UInt64
    private var inputs: ClientIDIndex

    /// - Parameters:
    ///   - firstSequence: the number of the first record; everything below belongs to earlier incarnations.
    ///   - outputLimit: bytes of terminal output kept, at least 4 KiB.
    ///   - recordLimit: other records kept; also the client ids remembered.
    public init(
        sessionID: SessionID, incarnation: Int, firstSequence: UInt64, outputLimit: Int, recordLimit: Int = 4096
    ) {
        self.sessionID = sessionID
        self.incarnation = incarnation
        self.lastSequence = max(firstSequence, 1) - 1
        self.outputLimit = max(outputLimit, 4096)
        self.chunkLimit = min(max(self.outputLimit / 8, 1024), 32 * 1024)
        self.recordLimit = max(recordLimit, 16)
        self.outputLostThrough = max(firstSequence, 1) - 1
        self.recordsLostThrough = max(firstSequence, 1) - 1
        self.inputs = ClientIDIndex(capacity: self.recordLimit)
    }

    /// Bytes of terminal output held, for status pages and tests.
    public var heldOutputBytes: Int { outputBytes }

    @discardableResult
    public func append(output: ByteBuffer, at time: Date) -> UInt64 {
        lastSequence += 1
        if !chunkIsOpen {
            chunks.append(
                OutputChunk(capacity: max(output.readableBytes, 512), firstSequence: lastSequence, time: time))
            chunkIsOpen = true
        }
        let index = chunks.index(before: chunks.endIndex)
        let before = chunks[index].cost
        chunks[index].append(output)
        let cost = chunks[index].cost
        outputBytes += cost - before
        chunkIsOpen = cost < chunkLimit
        while outputBytes > outputLimit, chunks.count > 1 { dropOldestChunk() }
        return lastSequence
    }

    private func dropOldestChunk() {
        let chunk = chunks.removeFirst()
        outputBytes -= chunk.cost
        outputLostThrough = chunk.lastSequence
    }

    /// The number under which an input was accepted before.
    func number(of input: AcceptedInput) -> UInt64? {
        input.clientID.flatMap { inputs.number(of: $0, from: input.sender) }
    }

    /// Takes over what an earlier incarnation accepted.
    func remember(_ clientID: String, from sender: String, number: UInt64) {
        inputs.insert(clientID, from: sender, number: number)
    }

    /// The next number belongs to a record that is not held here.
    func skip() {
        lastSequence += 1
        chunkIsOpen = false
    }

    /// No record of its own has a number through `seq` from here on.
    func advance(to seq: UInt64) {
        guard seq > lastSequence else { return }
        lastSequence = seq
        chunkIsOpen = false
    }

    public func append(input: AcceptedInput, at time: Date) -> InputAcceptance {
        if let clientID = input.clientID {
            if let seq = inputs.number(of: clientID, from: input.sender) { return .duplicate(seq: seq) }
            inputs.insert(clientID, from: input.sender, number: lastSequence + 1)
        }
        return .accepted(seq: append(.input(input.withoutImageData), at: time))
    }

    @discardableResult
    public func append(resize: TerminalSize, at time: Date) -> UInt64 {
        append(.resize(resize), at: time)
    }

    @discardableResult
    public func append(event type: EventType, data: JSONValue, at time: Date) -> SessionEvent {
        let event = SessionEvent(
            seq: lastSequence + 1, time: time, sessionID: sessionID, incarnation: incarnation, type: type, data: data)
        append(.event(event), at: time)
        return event
    }

    @discardableResult
    private func append(_ record: LogRecord, at time: Date) -> UInt64 {
        lastSequence += 1
        chunkIsOpen = false
        records.append(LogEntry(seq: lastSequence, time: time, record: record))
        if records.count > recordLimit { recordsLostThrough = records.removeFirst().seq }
        return lastSequence
    }

    public func read(since: UInt64, kinds: LogKinds, limit: Int) -> LogReading {
        var reading = LogReading(gap: gap(since: since, kinds: kinds), entries: [], next: since, complete: true)
        var chunk = kinds.contains(.output) ? index(ofChunkAfter: since) : chunks.endIndex
        var record = kinds.isDisjoint(with: .events) ? records.endIndex : index(ofRecordAfter: since)
        var bytes = 0
        while true {
            let chunkFirst = chunk < chunks.endIndex ? chunks[chunk].firstSequence : .max
            let recordSeq = record < records.endIndex ? records[record].seq : .max
            guard chunkFirst != .max || recordSeq != .max else { break }
            guard bytes < limit || reading.entries.isEmpty else {
                reading.complete = false
                return reading
            }
            // Chunks end where another record was appended, so the two never overlap.
            if chunkFirst < recordSeq {
                let isOpen = chunkIsOpen && chunk == chunks.index(before: chunks.endIndex)
                let output = chunks[chunk].bytes(since: since, copying: isOpen)
                reading.entries.append(
                    LogEntry(seq: chunks[chunk].lastSequence, time: chunks[chunk].time, record: .output(output)))
                bytes += output.readableBytes
                chunk = chunks.index(after: chunk)
            } else {
                let entry = records[record]
                if kinds.contains(entry.record.kind) {
                    reading.entries.append(entry)
                    bytes += 256
                }
                record = records.index(after: record)
            }
            reading.next = reading.entries.last?.seq ?? since
        }
        reading.next = max(lastSequence, since)
        return reading
    }

    public func whenStored(through seq: UInt64, _ done: @escaping () -> Void) { done() }

    public func isRecent(_ since: UInt64, kinds: LogKinds) -> Bool { gap(since: since, kinds: kinds) == nil }

    private func gap(since: UInt64, kinds: LogKinds) -> LogGap? {
        var through: UInt64 = 0
        if kinds.contains(.output) { through = max(through, outputLostThrough) }
        if !kinds.isDisjoint(with: .events) { through = max(through, recordsLostThrough) }
        return since < through ? LogGap(after: since, through: through) : nil
    }

    private func index(ofChunkAfter since: UInt64) -> CircularBuffer<OutputChunk>.Index {
        chunks.partitioningIndex { $0.lastSequence > since }
    }

    private func index(ofRecordAfter since: UInt64) -> CircularBuffer<LogEntry>.Index {
        records.partitioningIndex { $0.seq > since }
    }
}

extension LogRecord {
    var kind: LogKinds {
        switch self {
        case .output: .output
        case .input: .input
        case .resize: .resize
        case .event: .event
        }
    }
}

extension CircularBuffer {
    /// The first index whose element, and every one after it, satisfies the predicate.
    fileprivate func partitioningIndex(where predicate: (Element) -> Bool) -> Index {
        var low = startIndex
        var length = count
        while length > 0 {
            let half = length / 2
            let middle = index(low, offsetBy: half)
            if predicate(self[middle]) {
                length = half
            } else {
                low = index(after: middle)
                length -= half + 1
            }
        }
        return low
    }
}
