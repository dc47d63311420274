import ClaudeCode
import Dialects
import Foundation
import Logging
import NIOCore
import SessionCore

extension SessionWorker {
    /// Watches what the CLI writes in the session's home.
    func startObserving() {
        // A command that says nothing at all is not waited for.
        loop.assumeIsolated().scheduleTask(in: Self.announcementPatience) { [weak self] in
            guard let self else { return }
            if let structured = self.structured { return structured.giveWaiting() }
            if self.lastOutput == nil { self.input.becomeReady() }
            self.input.resume()
        }
        guard structured == nil else { return }
        do {
            let watch = try DirectoryWatch(home: home, on: loop) { [weak self] in self?.lookSoon() }
            self.watch = watch
            watch.watch(HomeDirectory.statusDirectory, for: DirectoryWatch.directoryEvents)
        } catch {
            logger.warning(
                "no change notices for the session's home; looking once a second", metadata: ["error": "\(error)"])
        }
        let bound = NIOLoopBound(self, eventLoop: loop)
        observation = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            bound.value.tick()
        }
    }

    private func tick() {
        // The session may have replaced the directory.
        watch?.watch(HomeDirectory.statusDirectory, for: DirectoryWatch.directoryEvents)
        look()
        observe(.tick)
    }

    /// Notices come as fast as the session writes; looking is bounded.
    private func lookSoon() {
        guard !lookIsScheduled else { return }
        let rest = lastLook + .milliseconds(10) - NIODeadline.now()
        guard rest > .nanoseconds(0) else { return look() }
        lookIsScheduled = true
        loop.assumeIsolated().scheduleTask(in: rest) {
            self.lookIsScheduled = false
            self.look()
        }
    }

    /// Looks at everything the CLI may have written. The transcript comes first: what it says happened before the
    /// status that follows it.
    func look() {
        guard !isOver else { return }
        lastLook = .now()
        readTranscript()
        if let news = statusFiles.read() {
            if case .statusFile(let file) = news, file.status == .idle || file.status == .shell { input.becomeReady() }
            observe(news)
        }
    }

    private func readTranscript() {
        guard let news = transcript?.read() else { return }
        if !transcriptIsWatched, let path = transcript?.path {
            transcriptIsWatched = watch?.watch(path, for: DirectoryWatch.fileEvents) ?? false
        }
        for line in news.lines {
            for item in line.items {
                if let message = MessageEvent.event(of: item, in: line.id) { emit(message.type, message.data) }
                observe(.transcript(item))
                if let fact = EchokitFact(item) { echokit.learn(fact) }
            }
        }
        if news.more { loop.assumeIsolated().execute { self.readTranscript() } }
    }

    func report(_ hook: HookReport) {
        look()
        observe(.hook(hook))
        if let fact = EchokitFact(hook) { echokit.learn(fact) }
    }

    /// Tells the state engine, and everybody what it concludes.
    func observe(_ news: StateInput) {
        if let structured {
            if news == .ended { structured.end() }
            return
        }
        let before = engine.view
        let events = engine.handle(news, at: steadyDate)
        for event in events {
            switch event.type {
            case .permissionRequested: terminalAsks(event.data)
            case .permissionResolved: terminalResolved(event.data)
            default: emit(event.type, event.data)
            }
        }
        let after = engine.view
        // That a terminal is not silent is too weak a sign to refuse anybody's input.
        let known = after.source == .silence ? Activity.idle : after.activity
        if known != echokitActivity || after.waitingFor != before.waitingFor {
            echokitActivity = known
            echokit.learn(.activity(known, waitingFor: after.waitingFor))
        }
        if after.activity != before.activity { announceState() }
    }

    func announceState() {
        for client in nativeClients.values { client.send(stateMessage) }
    }

    var stateMessage: NativeServerMessage {
        .state(lifecycle: lifecycle, activity: view.activity, activitySince: activitySince)
    }

    /// As a clock on the wall shows it now.
    var activitySince: Date { Date().addingTimeInterval(view.since.timeIntervalSince(steadyDate)) }
}

extension EchokitFact {
    /// What a transcript line says to echokit's clients.
    init?(_ item: TranscriptItem) {
        switch item {
        case .userText(let text), .absorbedText(let text): self = .prompt(text)
        case .assistantText(let text): self = .text(text)
        case .thinking(let text): self = .thinking(text)
        case .toolUse(let id, let name, let input):
            self = .toolStarted(id: id, name: name, input: JSONValue(parsing: input) ?? .null)
        case .toolResult(let id, let isError, _): self = .toolEnded(id: id, isError: isError)
        case .stop: self = .turnEnded
        }
    }

    /// Tools by their hooks, which come before the transcript's lines.
    init?(_ hook: HookReport) {
        guard let id = hook.toolUseID else { return nil }
        switch hook.event {
        case .preToolUse:
            let input = hook.toolInput.flatMap { JSONValue(parsing: $0) } ?? .null
            self = .toolStarted(id: id, name: hook.toolName ?? "", input: input)
        case .postToolUse: self = .toolEnded(id: id, isError: false)
        case .postToolUseFailure: self = .toolEnded(id: id, isError: true)
        default: return nil
        }
    }
}
