import ClaudeCode
import Dialects
import Foundation
import Logging
import NIOCore
import SessionCore
import WorkerControl

/// A session whose program speaks stream-json: what it says becomes events, and commands become lines that it reads.
final class StructuredBackend {
    /// How long pieces of a message are joined.
    private static let joining = TimeAmount.milliseconds(40)

    unowned let worker: SessionWorker
    let device: StreamDevice
    private(set) var exchange: ControlExchange!
    var engine: StructuredEngine
    private var deltas = DeltaBuffer()
    private var flushIsScheduled = false
    /// Prompts that were accepted and not given to the program, in their order.
    var waiting: CircularBuffer<WaitingPrompt> = []
    /// nil: none is offered.
    private(set) var channel: SessionChannel?
    /// Waits for the program to be idle before its input is closed.
    var isClosing = false
    private var strayLines = 0
    /// Lines that are no records, for whoever asks why the program ended.
    private var stray = ""

    init(_ device: StreamDevice, for worker: SessionWorker) {
        self.worker = worker
        self.device = device
        engine = StructuredEngine(at: worker.steadyDate)
        engine.toldTools = worker.engine.toldTools
        exchange = ControlExchange(on: worker.loop) { [unowned self] in self.send($0) }
        if worker.configuration.offersChannel == true { channel = SessionChannel(for: self) }
        device.onRecord = { [unowned self] in self.take($0) }
    }

    func start() {
        device.start()
        for input in worker.journal?.recovery.inputs ?? [] { takeUp(input) }
        giveWaiting()
    }

    // MARK: What the program says

    private func take(_ record: RecordFramer.Record) {
        guard worker.spare == nil else { return takeUnclaimed(record) }
        worker.noteOutput()
        switch record {
        case .dropped(let bytes):
            worker.emit(.cliDropped, ["bytes": .integer(Int64(bytes)), "reason": "too_large"])
        case .line(let line):
            guard let message = StreamMessage(parsing: Data(line.readableBytesView)) else { return takeStray(line) }
            take(message, line)
        }
    }

    private func take(_ message: StreamMessage, _ line: ByteBuffer) {
        if case .delta(let delta) = message {
            conclude(engine.handle(message, at: worker.steadyDate))
            return join(delta)
        }
        flushDeltas()
        switch message {
        case .turnBegins, .result: channel?.look()
        case .user(let user):
            // What people said, as the program shows it to the model: told in their own words.
            if let channel, let ids = user.text.map(ChannelServer.ids(in:)), !ids.isEmpty { return channel.saw(ids) }
        default: break
        }
        if case .prompt(let id, .started) = message { begun(id) }
        if case .user(let user) = message, user.isReplay, let id = user.id { repeated(id) }
        conclude(engine.handle(message, at: worker.steadyDate))
        switch message {
        case .permission(let permission): ask(permission)
        case .questionWithdrawn(let id):
            worker.resolve(id, .init(.withdrawn, way: .session, at: Date()))
        case .question(let id, let kind):
            // Unanswered it would wait for ever.
            send(.decline(question: id, reason: "'\(kind.prefix(64))' cannot be answered in this session"))
        case .answer(let id, let answer): exchange.answered(id, answer)
        case .sessionState("idle"): if isClosing { device.closeInput() }
        case .other: passOn(line)
        default: break
        }
    }

    /// The start command's own words, before the program's: the first may name the transcript.
    func takeStray(_ line: ByteBuffer) {
        let text = String(decoding: line.readableBytesView.prefix(4096), as: UTF8.self)
        if strayLines == 0, !worker.announcement.isDecided {
            var first = ByteBuffer(string: text + "\n")
            _ = worker.announcement.filter(first.readSlice(length: first.readableBytes) ?? first)
            worker.announcementDecided()
            giveWaiting()
        }
        strayLines += 1
        stray = String((stray + text + "\n").suffix(4096))
        if strayLines > 16, worker.spare == nil {
            worker.emit(.cliDropped, ["bytes": .integer(Int64(line.readableBytes)), "reason": "not_json"])
        }
    }

    /// A message that nobody here knows goes to whoever does.
    private func passOn(_ line: ByteBuffer) {
        guard line.readableBytes <= EventText.longestToldInput,
            let message = JSONValue(parsing: String(buffer: line))
        else {
            return worker.emit(.cliDropped, ["bytes": .integer(Int64(line.readableBytes)), "reason": "too_large"])
        }
        worker.emit(.cliMessage, ["message": message])
    }

    private func join(_ delta: StreamDelta) {
        if let data = deltas.add(delta) { worker.emit(.messageDelta, data) }
        guard !flushIsScheduled, !deltas.isEmpty else { return }
        flushIsScheduled = true
        worker.loop.assumeIsolated().scheduleTask(in: Self.joining) { [weak self] in
            self?.flushIsScheduled = false
            self?.flushDeltas()
        }
    }

    private func flushDeltas() {
        if let data = deltas.flush() { worker.emit(.messageDelta, data) }
    }

    /// Tells everybody what the engine concluded.
    func conclude(_ events: [DerivedEvent]) {
        for event in events {
            worker.emit(event.type, event.type == .promptWithdrawn ? numbered(event.data) : event.data)
            if let fact = EchokitFact(event) { worker.echokit.learn(fact) }
        }
    }

    // MARK: What it is told

    func send(_ request: StreamRequest) {
        guard let line = request.line else {
            return worker.logger.error("a request to the program cannot be written as JSON")
        }
        worker.thaw()
        device.write(ByteBuffer(bytes: line))
    }

    /// What it wrote before it ended, for a person.
    var lastWords: String {
        let errors = device.lastErrors
        return errors.isEmpty ? stray : errors
    }

    func end() {
        flushDeltas()
        exchange.end()
        channel?.end()
        conclude(engine.end(at: worker.steadyDate))
    }
}

extension EchokitFact {
    /// What an event of a structured session says to echokit's clients.
    init?(_ event: DerivedEvent) {
        let data = event.data
        switch event.type {
        case .messageUser: self = .prompt(data["text"]?.string ?? "")
        case .messageAssistant: self = .text(data["text"]?.string ?? "")
        case .messageThinking: self = .thinking(data["text"]?.string ?? "")
        case .toolStarted:
            self = .toolStarted(
                id: data["tool_use_id"]?.string ?? "", name: data["tool_name"]?.string ?? "",
                input: data["tool_input"] ?? .null)
        case .toolCompleted:
            self = .toolEnded(id: data["tool_use_id"]?.string ?? "", isError: data["is_error"]?.bool ?? false)
        case .turnCompleted: self = .turnEnded
        case .sessionActivity:
            guard let activity = data["activity"]?.string.flatMap(Activity.init(rawValue:)) else { return nil }
            self = .activity(activity, waitingFor: data["waiting_for"]?.string)
        default: return nil
        }
    }
}
