import ClaudeCode
import Dialects
import Foundation
import Logging
import NIOCore
import SessionCore

/// The session's people as a channel of Claude Code's: prompts that go out on the MCP server's event stream, and the look
/// whether they arrived. See ``ChannelDelivery`` for what goes this way.
final class SessionChannel {
    private static let pause = TimeAmount.milliseconds(250)
    /// While a turn runs, one look in so many.
    private static let busyLooks = 4
    /// Pieces of the transcript read at once.
    private static let mostSteps = 16
    /// Streams of one session that are logged: it can open as many as it likes.
    private static let mostLogged = 16

    private unowned let backend: StructuredBackend
    private var delivery = ChannelDelivery()
    private var stream: EventStream?
    /// Where what was sent is looked for.
    private var transcript: TranscriptTail?
    private var ticks = 0
    private var isTicking = false
    private var opened = 0

    init(for backend: StructuredBackend) { self.backend = backend }

    private var worker: SessionWorker { backend.worker }

    // MARK: The stream

    /// Somebody listens: whoever listened before does no longer.
    func open(_ stream: EventStream) {
        guard !worker.isOver else { return stream.end() }
        self.stream?.end()
        self.stream = stream
        stream.onClosed = { [weak self, weak stream] in
            guard let self, self.stream === stream else { return }
            self.stream = nil
            self.log("nobody listens to the channel")
            self.tell(.closed)
        }
        opened += 1
        log("the session listens to its channel")
        tell(.opened)
        backend.giveWaiting()
    }

    private func log(_ message: Logger.Message) {
        if opened <= Self.mostLogged { worker.logger.info(message) }
    }

    /// The answer to a request on the stream.
    func answered(_ id: JSONValue) {
        guard let ping = ClaudeSocketChannel.pingNumber(id) else { return }
        tell(.answered(ping: ping))
        backend.giveWaiting()
    }

    /// The session is over.
    func end() {
        stream?.end()
        delivery = ChannelDelivery()
    }

    // MARK: Prompts

    /// Nothing else may be given yet.
    var holdsBack: Bool { delivery.holdsBack }

    /// Commands of Claude Code's own, and images, are none that a notification could hold.
    func takes(_ prompt: WaitingPrompt) -> Bool {
        guard prompt.channel != nil, prompt.images.isEmpty, !prompt.text.hasPrefix("/"), !backend.isClosing,
            let stream, stream.isWritable, worker.announcement.path != nil
        else { return false }
        return delivery.takes(isFirst: !backend.engine.isBusy)
    }

    func send(_ prompt: WaitingPrompt) {
        guard let origin = prompt.channel, let stream else { return }
        if !delivery.isWaiting { lookFromHere() }
        let id = prompt.id.description
        let ping = delivery.send(id)
        worker.thaw()
        let message = ClaudeSocketChannel.notification(
            prompt.text, id: id, from: origin, sender: prompt.by, time: Date().formatted(.rookery))
        stream.send(ClaudeSocketChannel.event(message) + ClaudeSocketChannel.event(ClaudeSocketChannel.ping(ping)))
        schedule()
    }

    /// The program's output shows prompts, in the turn that runs if there is one.
    func saw(_ ids: [String]) { tell(.taken(ids, joins: true)) }

    // MARK: The look

    /// What is in the transcript now is of no interest.
    private func lookFromHere() {
        if transcript == nil {
            transcript = worker.announcement.path.flatMap {
                TranscriptTail(home: worker.home, absolutePath: $0, after: worker.earlierTranscripts)
            }
        }
        transcript?.skip()
    }

    /// Looks for what was sent. Also called when the program says something that may have to do with it.
    func look() {
        guard delivery.isWaiting else { return }
        // The session may write more than anybody can read; what is left is for the next look.
        for _ in 0..<Self.mostSteps {
            guard let news = transcript?.read() else { return }
            for line in news.lines.compactMap(\.channel) {
                if line.place == .waits {
                    for id in line.ids { tell(.queued(id)) }
                } else {
                    tell(.taken(line.ids, joins: line.place == .joins))
                }
            }
            if !news.more { return }
        }
    }

    private func schedule() {
        guard delivery.isWaiting, !isTicking else { return }
        isTicking = true
        worker.loop.assumeIsolated().scheduleTask(in: Self.pause) { [weak self] in
            guard let self else { return }
            self.isTicking = false
            self.tick()
        }
    }

    private func tick() {
        guard !worker.isOver else { return }
        // A program that stands still shows nothing.
        if worker.frozenSince == nil, worker.holdEnd == nil {
            let isQuiet = backend.engine.isQuiet
            ticks += 1
            if isQuiet || ticks % Self.busyLooks == 0 { look() }
            tell(.passed(seconds: Double(Self.pause.nanoseconds) / 1e9, isQuiet: isQuiet))
        }
        backend.giveWaiting()
        schedule()
    }

    private func tell(_ input: ChannelDelivery.Input) {
        for output in delivery.handle(input) {
            switch output {
            case .stands(let standing):
                worker.logger.info("channel notifications", metadata: ["are": "\(standing)"])
                backend.stands(standing)
            case .done(let ids, let joins): backend.took(ids, joins: joins)
            case .fallBack(let id): backend.fallBack(id)
            }
        }
    }
}

extension StructuredBackend {
    /// The program has what went by the channel.
    fileprivate func took(_ ids: [String], joins: Bool) {
        for id in ids { tellDelivered(id, byChannel: true) }
        conclude(engine.took(ids, joins: joins, at: worker.steadyDate))
    }

    /// It has not: it is given it as everything else.
    fileprivate func fallBack(_ id: String) {
        guard let prompt = engine.prompts.first(where: { $0.id == id }) else { return }
        worker.logger.notice(
            "a channel notification was not taken: the prompt goes to the program's input",
            metadata: ["prompt": "\(id)"])
        engine.redirect(id)
        send(.prompt(id: id, text: prompt.text, images: []))
    }

    fileprivate func stands(_ standing: ChannelDelivery.Standing) {
        conclude(engine.learn(["channels": .string(standing.rawValue)]))
    }
}
