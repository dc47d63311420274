import Dispatch
public import Foundation
import Glibc
public import NIOCore

/// A session's log on disk: everything is in a file before anybody is shown it, and on the disk before anybody is told
/// that it is safe. The newest part is in memory too, from where clients are served.
///
/// Belongs to one event loop. The disk is waited for on a thread of its own; only the page cache is written to from the
/// event loop. See Docs/reliability.md for the format and for what is promised.
public final class Journal: SessionLog {
    public struct Options: Sendable {
        public var sessionID: SessionID
        public var incarnation: Int
        /// The lowest number for the first record; the journal itself may demand a higher one.
        public var firstSequence: UInt64
        /// Bytes of terminal output kept in memory.
        public var outputLimit: Int
        public var limits: JournalLimits
        /// Other records kept in memory.
        public var recordLimit = 4096
        /// Records have numbers of their own and are given again where they were lost: none is skipped for those that may
        /// have been, see ``Journal/advance(to:)``.
        public var keepsNumbers = false

        public init(
            sessionID: SessionID, incarnation: Int, firstSequence: UInt64, outputLimit: Int, limits: JournalLimits
        ) {
            self.sessionID = sessionID
            self.incarnation = incarnation
            self.firstSequence = firstSequence
            self.outputLimit = outputLimit
            self.limits = limits
        }
    }

    public var sessionID: SessionID { memory.sessionID }
    public var incarnation: Int { memory.incarnation }
    public var lastSequence: UInt64 { memory.lastSequence }

    /// What the incarnations before left unfinished.
    public let recovery: JournalRecovery
    /// Why nothing can be appended now.
    public private(set) var stall: LogStall?
    /// Told when appending begins to fail, and with nil when it works again.
    public var onStall: ((LogStall?) -> Void)?
    /// Told of what only an operator can do something about.
    public var onTrouble: ((JournalError) -> Void)?

    private let memory: MemoryLog
    private let directory: JournalDirectory
    private let limits: JournalLimits
    private let disk: JournalDisk
    private let loop: any EventLoop
    private let queue: DispatchQueue
    private let commit: GroupCommit
    private let boot: UInt64
    private var writer: SegmentWriter
    private var lastRoll = NIODeadline.uptimeNanoseconds(0)
    private var syncFailed = false
    private var upkeep: RepeatedTask?
    private var lastThinned = NIODeadline.now()
    /// Old terminal output is being dropped, on another thread.
    private(set) var isThinning = false
    private var thinsAgain = false

    /// How often a stalled journal is tried, and one that is not looked after.
    private static let pulse = TimeAmount.seconds(1)

    /// Opens a session's journal for writing: reads it, cuts a torn end, and goes on after its last record. Call it on
    /// the event loop. Blocks for as long as the reading takes.
    ///
    /// - Parameter descriptor: of the journal's directory; stays the caller's.
    public init(
        _ options: Options, directory descriptor: Int32, on loop: any EventLoop, disk: JournalDisk = .real
    ) throws(JournalError) {
        directory = try JournalDirectory(copying: descriptor)
        guard flock(directory.descriptor, LOCK_EX | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else { throw .system("locking the session's journal", errno: errno) }
            throw .busy
        }
        let boot = Self.currentBoot()
        self.boot = boot
        let opening = try JournalOpening(directory, session: options.sessionID, boot: boot)
        var recovery = opening.scan.recovery(wasEmpty: opening.last == 0)
        recovery.cut = opening.cut
        self.recovery = recovery
        self.limits = options.limits
        self.disk = disk
        self.loop = loop
        queue = DispatchQueue(label: "journal")

        var first = max(options.firstSequence, opening.last + 1)
        var lost: UInt64 = 0
        let mayHaveLost = opening.newest.map { $0.header.boot != boot && !opening.scan.isClosed } ?? false
        if !options.keepsNumbers, opening.cut != nil || mayHaveLost {
            // Numbers above the last may have been shown to somebody; they must not come again for something else.
            first = max(first, opening.last + Self.skip)
            lost = first - 1
        }
        memory = MemoryLog(
            sessionID: options.sessionID, incarnation: options.incarnation, firstSequence: first,
            outputLimit: options.outputLimit, recordLimit: options.recordLimit)
        for known in opening.scan.clientIDs { memory.remember(known.clientID, from: known.sender, number: known.seq) }
        commit = GroupCommit(from: opening.last, in: directory, on: loop, queue: queue, disk: disk)

        if let newest = opening.newest, lost == 0, !newest.header.flags.contains(.thinned), newest.header.boot == boot,
            newest.end < limits.segmentBytes
        {
            writer = try SegmentWriter.resume(newest.header, at: newest.end, in: directory, disk: disk)
        } else {
            let header = SegmentHeader(
                sessionID: options.sessionID, first: first, previous: opening.last, lostOutput: lost, lostEvents: lost,
                created: Self.wall(Date()), boot: boot)
            do { writer = try SegmentWriter.create(header, in: directory, disk: disk) } catch {
                throw .system("making a segment of the session's journal", errno: error.errno)
            }
            commit.made()
        }
        commit.onResult = { [weak self] in self?.synced($0) }
        let this = NIOLoopBound(self, eventLoop: loop)
        upkeep = loop.scheduleRepeatedTask(initialDelay: Self.pulse, delay: Self.pulse) { _ in this.value.lookAfter() }
    }

    private static let skip: UInt64 = 1 << 20

    // MARK: Appending

    @discardableResult
    public func append(output: ByteBuffer, at time: Date) throws(LogStall) -> UInt64 {
        if let stall { throw stall }
        var rest = output
        while rest.readableBytes > RecordHead.largest, let part = rest.readSlice(length: RecordHead.largest) {
            try append(.output, part, at: time)
            memory.append(output: part, at: time)
        }
        try append(.output, rest, at: time)
        return memory.append(output: rest, at: time)
    }

    public func append(input: AcceptedInput, at time: Date) throws(LogStall) -> InputAcceptance {
        if let seq = memory.number(of: input) { return .duplicate(seq: seq) }
        if let stall { throw stall }
        var isText = true
        if case .keys = input.content { isText = false }
        try append(.input, RecordPayload.encode(input), at: time, atOnce: isText)
        return memory.append(input: input, at: time)
    }

    /// The text of an accepted input is about to be given to the terminal.
    public func append(delivering seq: UInt64, at time: Date) throws(LogStall) {
        try append(.delivering, RecordPayload.encode(delivering: seq), at: time, isEssential: true)
        memory.skip()
    }

    @discardableResult
    public func append(resize: TerminalSize, at time: Date) throws(LogStall) -> UInt64 {
        try append(.resize, RecordPayload.encode(resize), at: time, isEssential: true)
        return memory.append(resize: resize, at: time)
    }

    @discardableResult
    public func append(event type: EventType, data: JSONValue, at time: Date) throws(LogStall) -> SessionEvent {
        try append(
            .event, RecordPayload.encode(type, data), at: time, mark: RecordHead.Mark(type), isEssential: true,
            atOnce: type.isSyncedAtOnce)
        return memory.append(event: type, data: data, at: time)
    }

    /// The next record has the number after `seq`, if that is higher than its own.
    public func advance(to seq: UInt64) { memory.advance(to: seq) }

    /// The incarnation ends, and its worker is there to say so: the last record. When that cannot be written, the next
    /// incarnation takes this one for killed, which loses nothing.
    public func close(onRequest: Bool) {
        upkeep?.cancel()
        let end = RecordPayload.encode(closedOnRequest: onRequest)
        guard (try? append(.closed, end, at: Date(), isEssential: true, atOnce: true)) != nil else { return }
        memory.skip()
    }

    /// Lets go of everything, and writes nothing more: who waits for something to be stored is not told.
    public func abandon() {
        upkeep?.cancel()
        commit.abandon(writer)
        flock(directory.descriptor, LOCK_UN)
    }

    private func append(
        _ kind: RecordHead.Kind, _ payload: ByteBuffer, at time: Date, mark: RecordHead.Mark = .none,
        isEssential: Bool = false, atOnce: Bool = false
    ) throws(LogStall) {
        if writer.position >= limits.segmentBytes { roll(at: time) }
        let head = RecordHead(
            length: payload.readableBytes, seq: lastSequence + 1, wall: Self.wall(time),
            monotonic: NIODeadline.now().uptimeNanoseconds, durable: min(commit.durable, lastSequence),
            incarnation: UInt32(clamping: incarnation), kind: kind, mark: mark)
        do {
            try payload.withUnsafeReadableBytes { bytes throws(LogStall) in
                try writer.append(head, bytes, isEssential: isEssential)
            }
        } catch {
            stalled(error)
            throw error
        }
        commit.wrote(
            head.seq, to: writer, bytes: RecordHead.size + payload.readableBytes, atOnce: atOnce)
    }

    /// Begins a new segment. When that cannot be, the old one grows for a while.
    private func roll(at time: Date) {
        guard NIODeadline.now() - lastRoll > (stall == nil ? .nanoseconds(0) : Self.pulse) else { return }
        lastRoll = .now()
        let header = SegmentHeader(
            sessionID: sessionID, first: lastSequence + 1, previous: lastSequence, created: Self.wall(time), boot: boot)
        guard let next = try? SegmentWriter.create(header, in: directory, disk: disk) else { return }
        commit.finished(writer)
        writer = next
        thin()
    }

    private static func wall(_ time: Date) -> Int64 { Int64(time.timeIntervalSince1970 * 1e9) }

    // MARK: Reading

    public func read(since: UInt64, kinds: LogKinds, limit: Int) -> LogReading {
        let reading = memory.read(since: since, kinds: kinds, limit: limit)
        guard reading.gap != nil else { return reading }
        do {
            return try JournalReader(directory).read(since: since, kinds: kinds, limit: limit)
        } catch {
            onTrouble?(error)
            return reading
        }
    }

    public func isRecent(_ since: UInt64, kinds: LogKinds) -> Bool { memory.isRecent(since, kinds: kinds) }

    public func whenStored(through seq: UInt64, _ done: @escaping () -> Void) { commit.when(seq, done) }

    // MARK: A disk that does not take more

    private func stalled(_ error: LogStall) {
        guard stall == nil else { return }
        stall = error
        onStall?(error)
    }

    private func synced(_ error: LogStall?) {
        syncFailed = error != nil
        if let error { stalled(error) } else { lookAfter() }
    }

    private func lookAfter() {
        if stall != nil {
            if syncFailed { return commit.retry() }
            do { try writer.makeRoom() } catch { return }
            stall = nil
            onStall?(nil)
        }
        if let age = limits.age, writer.position > SegmentHeader.size,
            Date().timeIntervalSince1970 - Double(writer.header.created) / 1e9 > age / 8
        {
            roll(at: Date())
        }
        if NIODeadline.now() - lastThinned > .seconds(60) { thin() }
    }

    /// Drops what is too much or too old.
    func thin() {
        guard !isThinning else {
            thinsAgain = true
            return
        }
        isThinning = true
        thinsAgain = false
        lastThinned = .now()
        let this = NIOLoopBound(self, eventLoop: loop)
        let retention = JournalRetention(directory: directory, limits: limits, disk: disk)
        let current = writer.header.first
        queue.async { [loop] in
            var trouble: JournalError?
            do throws(JournalError) { try retention.run(current: current, now: Date()) } catch { trouble = error }
            let seen = trouble
            loop.execute {
                this.value.isThinning = false
                if let seen { this.value.onTrouble?(seen) }
                if this.value.thinsAgain { this.value.thin() }
            }
        }
    }

    /// The first bytes of the kernel's boot id; 0 where it may not be read.
    private static func currentBoot() -> UInt64 {
        guard let text = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8) else {
            return 0
        }
        return UInt64(text.prefix(8) + text.dropFirst(9).prefix(4), radix: 16) ?? 0
    }
}
