import Foundation
import Logging
import Registry
import SessionCore
import WorkerControl

extension SessionSupervisor {
    /// Takes up a live worker: its events from `since` on, its status, its end.
    func adopt(_ entry: SessionEntry, _ connection: WorkerConnection, since: UInt64) {
        entry.connection = connection
        entry.worker = ProcessIdentity(pid: connection.hello.pid, startTime: connection.hello.startTime)
        entry.end = nil
        learn(entry, connection.hello.status)
        let incarnation = entry.record.incarnation
        // What was taken back while nobody looked counts too.
        Task { await self.reassess(connection.hello.status.clients, of: entry, over: connection) }
        entry.pump = Task { await self.listen(to: connection, of: entry, incarnation: incarnation, since: since) }
    }

    private func listen(
        to first: WorkerConnection, of entry: SessionEntry, incarnation: Int, since: UInt64
    ) async {
        var connection = first
        var since = since
        while !Task.isCancelled {
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
            guard !Task.isCancelled else { return }
            if let again = await reconnect(entry, incarnation: incarnation) {
                connection = again
                entry.connection = again
                await reassess(again.hello.status.clients, of: entry, over: again)
                since = entry.feed.lastSequence
                continue
            }
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
        while let worker = entry.worker, worker.isAlive, !Task.isCancelled, entry.end == nil {
            if let connection = try? await connect(entry.id, incarnation: incarnation) { return connection }
            entry.unresponsive = worker.isAlive
            try? await Task.sleep(for: .milliseconds(200))
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
        }
        if event.type == .inputAccepted {
            let before = entry.status?.lastInput ?? event.time
            entry.status?.lastInput = max(before, event.time)
        }
        if event.type == .sessionOOM, let kills = event.data["kills"]?.integer {
            // A supervisor before this one told of them.
            entry.oomKills = max(entry.oomKills, Int(clamping: kills))
        }
        publish(event, of: entry)
    }

    func learn(_ entry: SessionEntry, _ status: WorkerStatus) {
        entry.status = status
        entry.statusAt = clock.now()
        entry.unresponsive = false
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
                entry.statusAt = clock.now()
                entry.unresponsive = entry.worker?.isAlive ?? false
            }
            return false
        }
    }
}
