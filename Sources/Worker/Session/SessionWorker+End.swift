import Foundation
import Glibc
import Logging
import NIOCore
import SessionCore
import WorkerControl

extension SessionWorker {
    /// The sandbox's end is the session's end; the terminal's end of file says nothing.
    func watchSandbox() {
        sandboxWatch = SandboxWatch(pidfd: configuration.descriptors.sandbox, on: loop) { [unowned self] in
            self.sandboxEnded()
        }
    }

    /// SIGTERM to the command, and after the grace time the end of everything. Asked again, the earlier end counts.
    /// - Parameter returns: the session is started again at once: its clients are to come back.
    func requestStop(grace: Double, returns: Bool = false) {
        guard !isOver else { return }
        // A frozen command hears no signal, and rookery-init no leash.
        release()
        thaw()
        let wait = TimeAmount.milliseconds(Int64(min(max(grace, 0), 3600) * 1000))
        let deadline = NIODeadline.now() + wait
        if let stop {
            if !returns { self.stop?.returns = false }
            guard deadline < stop.deadline else { return }
            stop.timer.cancel()
        } else {
            logger.info("stopping the session's command", metadata: ["grace": "\(grace)s"])
            if let structured {
                structured.close()
                // Most of the time is for a turn to end in order.
                loop.assumeIsolated().scheduleTask(in: .nanoseconds(wait.nanoseconds * 6 / 10)) {
                    if !self.isOver { self.signalCommand(UInt8(SIGTERM)) }
                }
            } else {
                endOnceRead(within: .nanoseconds(min(wait.nanoseconds / 3, TimeAmount.seconds(1).nanoseconds)))
            }
        }
        let timer = loop.assumeIsolated().scheduleTask(deadline: deadline) { self.releaseLeash() }
        stop = StopRequest(deadline: deadline, timer: timer, returns: returns && stop?.returns != false)
    }

    /// What was given to the terminal just now is acknowledged, and gone with a program that ends before it has made
    /// something of it: that has a moment to read it, and a tenth of a second more.
    private func endOnceRead(within patience: TimeAmount) {
        let limit = NIODeadline.now() + patience
        let isRecent = lastDelivery.map { NIODeadline.now() - $0 < .seconds(1) } ?? false
        guard isRecent || input.isTyping || terminal.hasUnread else { return signalCommand(UInt8(SIGTERM)) }
        var lastSeen = NIODeadline.now()
        func look() {
            guard !isOver else { return }
            let now = NIODeadline.now()
            if input.isTyping || terminal.hasUnread { lastSeen = now }
            guard now - lastSeen >= .milliseconds(100) || now >= limit else {
                loop.assumeIsolated().scheduleTask(in: .milliseconds(20)) { look() }
                return
            }
            signalCommand(UInt8(SIGTERM))
        }
        look()
    }

    /// One byte on the leash is a signal for the command.
    private func signalCommand(_ signal: UInt8) {
        var byte = signal
        if write(leash, &byte, 1) != 1 {
            logger.warning("the leash takes no signal", metadata: ["error": "\(SystemCallError("write", errno))"])
        }
    }

    /// The leash closed, rookery-init ends everything in the sandbox.
    private func releaseLeash() {
        guard leash >= 0, !isOver else { return }
        logger.info("the grace time is over: ending everything in the sandbox")
        close(leash)
        leash = -1
        loop.assumeIsolated().scheduleTask(in: .seconds(10)) {
            guard !self.isOver else { return }
            self.logger.error("the sandbox does not end; leaving it to the launcher")
            self.sandboxEnded()
        }
    }

    private func sandboxEnded() {
        guard !isOver else { return }
        isOver = true
        stop?.timer.cancel()
        guard let structured else {
            if !announcement.isDecided { flushAnnouncement() }
            return terminal.drain(within: .milliseconds(500)) { self.finish() }
        }
        structured.device.drain(within: .milliseconds(500)) {
            self.terminal.drain(within: .milliseconds(500)) { self.finish() }
        }
    }

    private func finish() {
        observation?.cancel()
        watch?.stop()
        let exit = CommandStatus.read(from: configuration.descriptors.status)
        observe(.ended)
        for question in permissions.open { resolve(question.id, .init(.withdrawn, way: .session, at: Date())) }
        let reason = endReason ?? (stop != nil ? .requested : exit?.code == 0 ? .exited : .crashed)
        lifecycle = .stopped
        logger.info(
            "the session has ended",
            metadata: [
                "code": "\(exit?.code.map { "\($0)" } ?? "-")", "signal": "\(exit?.signal.map { "\($0)" } ?? "-")",
                "reason": "\(reason.rawValue)",
            ])
        for client in nativeClients.values {
            if stop?.returns == true { client.sendAway() } else { client.end(exit, reason: reason) }
        }
        for client in streamClients.values { client.end() }
        echokit.end()
        closeJournal(isOrderly: stop != nil || exit?.code == 0)
        let end = WorkerEnd(
            exit: exit, requested: stop != nil, lastSequence: log.lastSequence,
            lastLines: String((structured?.lastWords ?? screen.lastLines(20)).suffix(4096)))
        self.end = end
        whenStored { self.endStored(end) }
    }

    private func endStored(_ end: WorkerEnd) {
        guard connections.isEmpty, spare == nil else { return depart(telling: end, after: .milliseconds(100)) }
        // A command that ends at once is faster than the supervisor's first call; without the end told to it, the
        // session would look as if its worker had crashed.
        loop.assumeIsolated().scheduleTask(in: Self.patience) { self.depart(telling: end, after: .zero) }
    }

    /// How long an ended session's worker waits for a supervisor to tell it to.
    private static let patience = TimeAmount.seconds(15)

    /// A supervisor has connected: if all is over, it is told, and that is all it came for.
    func connected() {
        if let end { depart(telling: end, after: .seconds(2)) }
    }

    /// - Parameter linger: what clients have for their closing handshake, and a supervisor for the last frame.
    private func depart(telling end: WorkerEnd, after linger: TimeAmount) {
        guard !hasDeparted else { return }
        hasDeparted = true
        let farewells = connections.values.compactMap { $0.finish(end) }
        let done = NIOLoopBound(onFinished, eventLoop: loop)
        let timeout = loop.scheduleTask(in: .seconds(4)) { done.value() }
        let loop = self.loop
        EventLoopFuture.andAllComplete(farewells, on: loop).whenComplete { _ in
            loop.scheduleTask(in: linger) {
                timeout.cancel()
                done.value()
            }
        }
    }
}
