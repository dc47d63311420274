import Foundation
import Logging
import Registry
import SessionCore
import WorkerControl

extension SessionSupervisor {
    /// Takes up a live worker: its events from `since` on, its status, its end.
    func adopt(_ entry: SessionEntry, _ connection: WorkerConnection, since: UInt64) {
        entry.connection = connection
        watch(entry, ProcessIdentity(pid: connection.hello.pid, startTime: connection.hello.startTime))
        entry.program = connection.hello.program
        learn(entry, connection.hello.status)
        entry.startedAt = entry.times?.started ?? clock.monotonic()
        let incarnation = entry.record.incarnation
        // What was taken back while nobody looked counts too.
        Task { await self.reassess(connection.hello.status.clients, of: entry, over: connection) }
        entry.pump = Task { await self.listen(to: connection, of: entry, incarnation: incarnation, since: since) }
    }

    /// Takes up a worker that lives and does not answer: it is asked until it does.
    func adopt(_ entry: SessionEntry, silent worker: ProcessIdentity) {
        watch(entry, worker)
        entry.unresponsive = true
        entry.startedAt = clock.monotonic()
        let incarnation = entry.record.incarnation
        let since = entry.feed.lastSequence
        entry.pump = Task { await self.listen(to: nil, of: entry, incarnation: incarnation, since: since) }
    }

    private func watch(_ entry: SessionEntry, _ worker: ProcessIdentity) {
        entry.worker = worker
        entry.end = nil
        entry.hasExited = false
        let (id, incarnation) = (entry.id, entry.record.incarnation)
        entry.watch = ProcessWatch(worker) { [weak self] in
            Task { await self?.workerExited(id, incarnation: incarnation) }
        }
    }

    /// The worker's process is gone. What it said last is still in the socket, and read before this counts.
    func workerExited(_ id: SessionID, incarnation: Int) {
        guard let entry = entries[id], entry.record.incarnation == incarnation, entry.worker != nil, !entry.hasExited
        else { return }
        entry.hasExited = true
        entry.pause?.cancel()
        Task {
            try? await Task.sleep(for: .seconds(1))
            // Whoever inherited its socket, or a reader that hangs, must not hide its end.
            guard entry.record.incarnation == incarnation, entry.hasExited, entry.end == nil else { return }
            entry.pump?.cancel()
            entry.ended(.lost("its worker is gone"))
            await concludeAlone(entry, incarnation: incarnation)
        }
    }

    private func listen(
        to first: WorkerConnection?, of entry: SessionEntry, incarnation: Int, since: UInt64
    ) async {
        var connection = first
        var since = since
        while !Task.isCancelled {
            if let connection {
                entry.feed.listens()
                await subscribe(connection, since: since)
                for await notice in connection.notices {
                    guard !Task.isCancelled else { break }
                    switch notice {
                    case .event(let event): received(event, of: entry)
                    case .lost(let after): await subscribe(connection, since: after)
                    case .ended(let end):
                        entry.ended(.told(end))
                        return await concludeAlone(entry, incarnation: incarnation)
                    case .disconnected(let reason):
                        logger.debug("worker disconnected", metadata: ["session": "\(entry.id)", "why": "\(reason)"])
                    }
                }
            }
            guard !Task.isCancelled else { return }
            if let again = await reconnect(entry, incarnation: incarnation) {
                connection = again
                entry.connection = again
                entry.program = again.hello.program
                await reassess(again.hello.status.clients, of: entry, over: again)
                learn(entry, again.hello.status)
                since = entry.feed.lastSequence
                continue
            }
            guard !Task.isCancelled else { return }
            entry.ended(.lost("its worker is gone"))
            return await concludeAlone(entry, incarnation: incarnation)
        }
    }

    private func subscribe(_ connection: WorkerConnection, since: UInt64) async {
        do {
            _ = try await connection.send(.subscribe(since: since), within: configuration.replyLimit)
        } catch {
            logger.warning(
                "no events from a worker",
                metadata: ["session": "\(connection.hello.sessionID)", "error": "\(error)"])
        }
    }

    /// A worker that lives and lost its connection is asked again until it answers or is gone.
    private func reconnect(_ entry: SessionEntry, incarnation: Int) async -> WorkerConnection? {
        var pause = Duration.milliseconds(100)
        while let worker = entry.worker, !entry.hasExited, worker.isAlive, !Task.isCancelled, entry.end == nil {
            if let connection = try? await connect(entry.id, incarnation: incarnation) { return connection }
            guard !entry.hasExited, entry.end == nil, !Task.isCancelled else { break }
            entry.unresponsive = worker.isAlive
            let wait = pause
            let sleep = Task { _ = try? await Task.sleep(for: wait) }
            entry.pause = sleep
            await sleep.value
            pause = min(pause * 2, .seconds(2))
        }
        return nil
    }

    private func received(_ event: SessionEvent, of entry: SessionEntry) {
        guard event.sessionID == entry.id else { return }
        if event.type == .sessionActivity, let activity = event.data["activity"]?.string.flatMap(Activity.init),
            activity != entry.status?.activity
        {
            entry.status?.activity = activity
            entry.status?.activitySince = event.time
            entry.times?.activitySince = clock.monotonic()
        }
        if event.type == .inputAccepted {
            let before = entry.status?.lastInput ?? event.time
            entry.status?.lastInput = max(before, event.time)
            entry.times?.lastInput = clock.monotonic()
        }
        if event.type == .permissionResolved { audit(event, of: entry.record) }
        if event.type == .sessionOOM, let kills = event.data["kills"]?.integer {
            // A supervisor before this one told of them.
            entry.oomKills = max(entry.oomKills, Int(clamping: kills))
        }
        publish(event, of: entry)
        if entry.spentBudget != nil { watchLastTurn(event, of: entry) }
    }

    func learn(_ entry: SessionEntry, _ status: WorkerStatus) {
        entry.times = status.monotonic ?? times(of: status, entry)
        entry.status = status
        entry.statusAt = clock.monotonic()
        entry.unresponsive = false
    }

    /// A worker of a version before says dates alone. Each is reckoned once, when it is new: a clock that is set later
    /// does not move it.
    private func times(of status: WorkerStatus, _ entry: SessionEntry) -> WorkerTimes {
        let (now, date) = (clock.monotonic(), clock.now())
        func time(_ new: Date?, _ old: Date?, _ known: MonotonicTime?) -> MonotonicTime? {
            guard let new else { return nil }
            if let known, new == old { return known }
            return now + -max(0, date.timeIntervalSince(new))
        }
        let (old, known) = (entry.status, entry.times)
        return WorkerTimes(
            started: known?.started ?? time(entry.record.startedAt, nil, nil) ?? now,
            activitySince: time(status.activitySince, old?.activitySince, known?.activitySince) ?? now,
            lastInput: time(status.lastInput, old?.lastInput, known?.lastInput),
            lastOutput: time(status.lastOutput, old?.lastOutput, known?.lastOutput))
    }

    /// Asks the worker how it is. What was known stays when it does not answer.
    @discardableResult
    func refresh(_ entry: SessionEntry, within limit: Duration) async -> Bool {
        guard let connection = entry.connection else { return false }
        do {
            let reply = try await connection.send(.status, within: limit)
            guard case .status(let status) = reply, entry.connection === connection else { return false }
            learn(entry, status)
            return true
        } catch is CancellationError {
            return false
        } catch {
            if entry.connection === connection, entry.end == nil {
                entry.statusAt = clock.monotonic()
                entry.unresponsive = entry.worker?.isAlive ?? false
            }
            return false
        }
    }
}
