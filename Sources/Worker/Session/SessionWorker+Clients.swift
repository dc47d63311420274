import Dialects
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import SessionCore
import WorkerControl

extension SessionWorker {
    static let mostClients = 64

    /// Whether one more client may come.
    func checkRoom(for request: ClientRequest) throws(ClientRefusal) {
        let client = request.client
        guard !isOver else { throw ClientRefusal(.gone, "the session's command has ended") }
        guard structured == nil || ![.native, .companion].contains(request.dialect) else {
            throw ClientRefusal(.conflict, "a structured session has no terminal; its WebSocket is 'stream'")
        }
        guard connectedClients.count + promisedClients < Self.mostClients else {
            throw ClientRefusal(.serviceUnavailable, "the session has \(Self.mostClients) clients already")
        }
        if case .some(.none) = credentialChanges.access(of: client, at: .now()) {
            throw ClientRefusal(.unauthorized, "what you were let in by was taken back")
        }
    }

    /// A client's connection is there, whatever it says first.
    func connected(_ client: any AttachedConnection, on channel: any Channel) {
        connectedClients[client.id] = client
        let id = client.id
        let bound = NIOLoopBound(self, eventLoop: loop)
        var expiry: Scheduled<Void>?
        if let expires = client.credential?.expires {
            let rest = min(max(expires.timeIntervalSinceNow, 0), 365 * 86_400)
            expiry = loop.scheduleTask(in: .milliseconds(Int64(rest * 1000))) {
                bound.value.connectedClients[id]?.revoke("what you were let in by has expired")
            }
        }
        channel.closeFuture.whenComplete { [expiry] _ in
            expiry?.cancel()
            bound.value.connectedClients[id] = nil
        }
        // Its rights may have changed while it was on its way.
        let relayed = RelayedClient(principal: client.principal, access: client.access, credential: client.credential)
        switch credentialChanges.access(of: relayed, at: .now()) {
        case .some(.some(let access)): client.access = access
        case .some(.none):
            loop.execute { bound.value.connectedClients[id]?.revoke("what you were let in by was taken back") }
        case .none: break
        }
    }

    /// Has everybody who came with a credential learn what it is worth now.
    func apply(_ change: CredentialChange) {
        credentialChanges.note(change, at: .now())
        for client in connectedClients.values where client.credential?.names.contains(change.name) == true {
            guard let access = change.access else {
                logger.info("client's rights taken back", metadata: client.metadata)
                client.revoke(change.reason)
                continue
            }
            guard access != client.access else { continue }
            client.access = access
            logger.info("client's rights changed", metadata: client.metadata)
        }
    }

    func claimClientNumber() -> Int {
        defer { nextClient += 1 }
        return nextClient
    }

    // MARK: Attaching

    func attached(_ client: any AttachedConnection) {
        logger.info("client attached", metadata: client.metadata)
        emit(.clientAttached, client.eventData)
    }

    func detached(_ client: any AttachedConnection) {
        logger.info("client detached", metadata: client.metadata)
        if nativeClients.removeValue(forKey: client.id) != nil { perform(lease.detach(client.id, at: monotonic)) }
        echokit.clients[client.id] = nil
        streamClients[client.id] = nil
        emit(.clientDetached, client.eventData)
    }

    // MARK: The driver and the size

    func perform(_ actions: [DriverLease.Action]) {
        for action in actions {
            switch action {
            case .resize(let size): resize(to: size)
            case .settle(let time):
                let delay = max(Int64((time - monotonic) * 1e9), 0)
                loop.assumeIsolated().scheduleTask(in: .nanoseconds(delay)) {
                    self.perform(self.lease.settle(at: self.monotonic))
                }
            case .announce: announceDriver()
            }
        }
    }

    private func resize(to size: TerminalSize) {
        guard !isOver else { return }
        // Whoever sees another size waits for a screen that fits it.
        thaw()
        do {
            try terminal.resize(to: size)
        } catch {
            logger.error("the terminal keeps its size", metadata: ["error": "\(error)"])
        }
        screen.resize(to: size)
        let now = Date()
        if let seq = try? log.append(resize: size, at: now) {
            if let event = log.event(for: LogEntry(seq: seq, time: now, record: .resize(size))) { publish(event) }
        } else {
            sizeIsUnlogged = true
        }
        // Whoever has another grid is shown the new one.
        for client in nativeClients.values where client.size != size { client.repaint() }
    }

    private func announceDriver() {
        for client in nativeClients.values { client.send(driverMessage(for: client.id)) }
    }

    func driverMessage(for client: Int) -> NativeServerMessage {
        let driver = lease.driver
        return .driver(
            client: driver, principal: driver.flatMap { nativeClients[$0]?.principal }, you: driver == client)
    }

    // MARK: Snapshots and marks

    func snapshot() -> NativeServerMessage {
        .snapshot(seq: log.lastSequence, size: screen.size, data: screen.snapshot())
    }

    /// A client that has seen everything through `since` gets the rest as bytes; nil when it needs a snapshot.
    func replay(since: UInt64) -> [ByteBuffer]? {
        guard since <= log.lastSequence, log.isRecent(since, kinds: .terminal) else { return nil }
        let reading = log.read(since: since, kinds: .terminal, limit: NativeClient.backlogLimit)
        guard reading.gap == nil, reading.complete else { return nil }
        var bytes: [ByteBuffer] = []
        for entry in reading.entries {
            // Bytes drawn for another size would not look right.
            guard case .output(let output) = entry.record else { return nil }
            bytes.append(output)
        }
        return bytes
    }

    /// Marks follow the output when it pauses, and in between every so many bytes.
    func scheduleMarks() {
        guard !marksAreScheduled, !nativeClients.isEmpty else { return }
        marksAreScheduled = true
        loop.assumeIsolated().scheduleTask(in: .milliseconds(100)) {
            self.marksAreScheduled = false
            for client in self.nativeClients.values { client.mark() }
        }
    }
}
