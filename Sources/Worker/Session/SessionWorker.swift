import ClaudeCode
import Dialects
import Foundation
import Logging
import NIOCore
import SessionCore
import WorkerControl

/// One session: its terminal, its log, what it is doing, and everybody who watches it.
///
/// Confined to one event loop by construction: it is not `Sendable`, it is made there, and whatever comes from
/// elsewhere (pidfd, inotify, signals) is brought there by a `NIOLoopBound`.
final class SessionWorker {
    let configuration: WorkerConfiguration
    let loop: any EventLoop
    let logger: Logger
    let log: any SessionLog
    /// The log, where it is one on disk.
    let journal: Journal?
    let screen: ScreenModel
    let terminal: TerminalDevice
    let input: InputQueue
    let home: HomeDirectory
    /// nil from a launcher of an earlier version.
    let workspace: HomeDirectory?
    /// The program's other way to speak; nil in a terminal session.
    var structured: StructuredBackend?
    /// No session has the worker yet; nil: one has.
    var spare: Spare?
    /// When its session took it, of one that was a spare.
    var claimedAt: MonotonicTime?
    var permissions = PermissionLedger()
    var hookCalls = HookCalls()
    /// Called once, when the session is over and everybody has been told.
    let onFinished: () -> Void

    var engine: StateEngine
    var lease: DriverLease
    var lifecycle = Lifecycle.running

    // What comes in
    let started = NIODeadline.now()
    var announcement = TranscriptAnnouncement()
    /// What the transcripts held before the command ran.
    let earlierTranscripts: EarlierTranscripts
    var transcriptPath: String?
    var transcript: TranscriptTail?
    var statusFiles: StatusFileReader
    var watch: DirectoryWatch?
    var transcriptIsWatched = false
    var observation: RepeatedTask?
    var lastLook = NIODeadline.uptimeNanoseconds(0)
    var lookIsScheduled = false
    /// What echokit's clients were last told.
    var echokitActivity = Activity.idle

    // Who watches
    var nativeClients: [Int: NativeClient] = [:]
    let echokit: EchokitHub
    var streamClients: [Int: StreamClient] = [:]
    /// Every client's connection, those that have said nothing yet too.
    var connectedClients: [Int: any AttachedConnection] = [:]
    /// Places of clients whose sockets are on their way.
    var promisedClients = 0
    var credentialChanges = CredentialChanges()
    var handOver: HandOverListener?
    var connections: [ObjectIdentifier: ControlConnection] = [:]
    /// How it ended, once it has.
    var end: WorkerEnd?
    /// The last frames are on their way, and the process ends.
    var hasDeparted = false
    /// Those of the connections that want events.
    var subscribers: [ObjectIdentifier: ControlConnection] = [:]
    var nextClient = 1
    var marksAreScheduled = false

    // Facts for the reaper, each by the wall's clock for people and by one that nobody sets
    let program = ProgramIdentity.own
    let born = (date: Date(), time: MonotonicTime.now)
    var lastInput: Date?
    var lastOutput: Date?
    var inputTime: MonotonicTime?
    /// When a text was last given to the terminal.
    var lastDelivery: NIODeadline?
    var outputTime: MonotonicTime?
    var outputReported = NIODeadline.uptimeNanoseconds(0)

    /// While its output is a flood.
    let givingWay: GivingWay

    // A journal that takes nothing for now
    /// Output of the terminal that is not in the log yet, and that nobody was shown.
    var heldOutput: ByteBuffer?
    var heldEvents: [(type: EventType, data: JSONValue)] = []
    var droppedEvents = 0
    /// The terminal was resized, and the log does not say so yet.
    var sizeIsUnlogged = false

    // The freezer
    let freezer: Freezer?
    var frozenSince: Date?
    /// Its files are copied: the end of that, at the latest.
    var holdEnd: Scheduled<Void>?

    // The end
    var stop: StopRequest?
    var endReason: Reason?
    var sandboxWatch: SandboxWatch?
    var isOver = false
    var leash: Int32

    init(
        configuration: WorkerConfiguration, terminal: TerminalDevice, journal: Journal?, givingWay: GivingWay,
        on loop: any EventLoop, logger: Logger, onFinished: @escaping () -> Void
    ) {
        self.configuration = configuration
        self.loop = loop
        self.logger = logger
        self.onFinished = onFinished
        self.terminal = terminal
        self.givingWay = givingWay
        self.leash = configuration.descriptors.leash
        self.freezer = configuration.descriptors.freezer.map(Freezer.init)
        self.journal = journal
        self.log =
            journal
            ?? MemoryLog(
                sessionID: configuration.sessionID, incarnation: configuration.incarnation,
                firstSequence: configuration.firstSequence, outputLimit: configuration.logBytes)
        self.screen = ScreenModel(size: configuration.size)
        self.engine = StateEngine(at: born.date)
        self.lease = DriverLease(size: configuration.size)
        self.home = HomeDirectory(descriptor: configuration.descriptors.home)
        self.workspace = configuration.descriptors.workspace.map { HomeDirectory(descriptor: $0) }
        self.earlierTranscripts = EarlierTranscripts(of: configuration.sessionID.description, in: home)
        self.statusFiles = StatusFileReader(home: home, sessionID: configuration.sessionID)
        self.input = InputQueue(terminal: terminal, on: loop, ready: false)
        self.echokit = EchokitHub(session: configuration.sessionID, on: loop)
        echokit.worker = self
        takeUpJournal()
    }

    /// Takes the program's output.
    /// - Parameter streams: its standard streams, of a structured session.
    func start(_ streams: StreamDevice?) {
        guard let streams else {
            for text in journal?.recovery.inputs ?? [] { take(up: text) }
            terminal.onOutput = { [unowned self] bytes in self.received(bytes) }
            return
        }
        let backend = StructuredBackend(streams, for: self)
        structured = backend
        // What is written to the terminal of such a session is for nobody.
        terminal.onOutput = { _ in }
        backend.start()
        waitForSession()
    }

    var rules: CommandRules { configuration.commands ?? CommandRules() }

    /// What the session is doing, by what is best known of it.
    var view: StateView { structured?.engine.view ?? engine.view }

    /// The date as it would be had nobody set the clock since this worker started: what the state engine reckons by.
    var steadyDate: Date { born.date.addingTimeInterval(MonotonicTime.now.since(born.time)) }

    /// Seconds on a clock that only goes forward.
    var monotonic: Double { Double(NIODeadline.now().uptimeNanoseconds) / 1e9 }

    // MARK: Output

    private func received(_ bytes: ByteBuffer) {
        guard announcement.isDecided else { return receivedFirst(bytes) }
        show(bytes)
    }

    /// The first output may name the transcript; the wait for the rest of its line is bounded.
    private func receivedFirst(_ bytes: ByteBuffer) {
        let isFirst = lastOutput == nil
        lastOutput = Date()
        let rest = announcement.filter(bytes)
        if announcement.isDecided {
            decided()
        } else if isFirst {
            loop.assumeIsolated().scheduleTask(in: .seconds(2)) {
                if !self.announcement.isDecided { self.flushAnnouncement() }
            }
        }
        show(rest)
    }

    /// No path came: what was held back for it belongs on the terminal.
    func flushAnnouncement() {
        let held = announcement.giveUp()
        decided()
        show(held)
    }

    private func decided() {
        defer { input.resume() }
        guard let path = announcement.path else {
            // Not a start command that promises Claude Code: nothing to wait for.
            return input.becomeReady()
        }
        transcriptPath = path
        transcript = TranscriptTail(home: home, absolutePath: path, after: earlierTranscripts)
        if transcript == nil {
            logger.warning("the transcript is not in the session's home", metadata: ["path": "\(path)"])
        }
        loop.assumeIsolated().scheduleTask(in: .seconds(20)) { self.input.becomeReady() }
    }

    /// Nobody is shown what is not in the log.
    func show(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        guard heldOutput == nil else { return hold(bytes) }
        givingWay.worked()
        let now = Date()
        lastOutput = now
        let seq: UInt64
        do { seq = try log.append(output: bytes, at: now) } catch { return hold(bytes) }
        outputTime = .now
        screen.feed(bytes)
        if let replies = screen.takeReplies(), lease.driver == nil, !echokit.hasDrivers { terminal.write(replies) }
        for client in nativeClients.values { client.output(bytes, seq: seq) }
        echokit.output(bytes)
        scheduleMarks()
        if NIODeadline.now() - outputReported > .milliseconds(200) {
            outputReported = .now()
            observe(.output)
        }
    }

    /// Something came from the program of a structured session.
    func noteOutput() {
        givingWay.worked()
        lastOutput = Date()
        outputTime = .now
    }

    /// The start command has said where the transcript is, or that there is none.
    func announcementDecided() { transcriptPath = announcement.path }

    // MARK: Events

    func emit(_ type: EventType, _ data: JSONValue) {
        guard heldEvents.isEmpty, let event = try? log.append(event: type, data: data, at: Date()) else {
            return hold(type, data)
        }
        publish(event)
    }

    func publish(_ event: SessionEvent) {
        for connection in subscribers.values { connection.publish(event) }
        for client in streamClients.values { client.publish(event) }
    }

    /// An event of the supervisor's own.
    func record(_ type: EventType, _ data: JSONValue) {
        emit(type, data)
        switch type {
        case .sessionReapWarning:
            for client in nativeClients.values { client.send(.reapWarning(data)) }
        case .sessionParking, .sessionStopping:
            lifecycle = type == .sessionParking ? .parking : .stopping
            endReason = data["reason"]?.string.flatMap(Reason.init(rawValue:)) ?? endReason
            announceState()
        default: break
        }
    }
}

/// A stop that is under way.
struct StopRequest {
    var deadline: NIODeadline
    var timer: Scheduled<Void>
    /// The session is started again at once.
    var returns: Bool
}
