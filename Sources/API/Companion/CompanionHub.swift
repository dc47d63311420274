import Dialects
import Foundation
import Registry
import SessionCore
import Supervisor

/// What all Companion browsers share.
struct CompanionHub: Sendable {
    let sessions: any SessionService
    let authenticator: Authenticator
    let feeds: ConversationFeeds<CompanionSession>

    init(sessions: any SessionService, authenticator: Authenticator) {
        self.sessions = sessions
        self.authenticator = authenticator
        feeds = ConversationFeeds(sessions: sessions) { CompanionSession(CompanionFacts(id: $0)) }
    }

    func serve(
        _ id: SessionID, _ upgrade: PendingUpgrade, _ request: CallerRequest, _ principal: Principal
    ) async throws {
        let view = try await sessions.session(id, as: principal)
        let usesSeed = request.query["protocol"] == "seed"
        let connection = try await DialectConnection(
            upgrade, authenticator, principal, largest: CompanionBrowserMessage.largest)
        await CompanionConnection(self, connection, view.record, usesSeed: usesSeed).run()
    }
}

extension CompanionFacts {
    init(_ record: SessionRecord) {
        self.init(
            id: record.id, name: record.name, model: record.model, permissionMode: record.permissionMode)
    }
}

/// One Companion browser (seed-protocols 3.3, 3.4).
actor CompanionConnection {
    private let hub: CompanionHub
    private let connection: DialectConnection
    private let record: SessionRecord
    /// Speaks the seed's names.
    private var seed: CompanionSeed?
    /// The last message that was there when this browser came: what follows it is sent anyway.
    private var start: UInt64 = 0

    init(_ hub: CompanionHub, _ connection: DialectConnection, _ record: SessionRecord, usesSeed: Bool) {
        self.hub = hub
        self.connection = connection
        self.record = record
        if usesSeed { seed = CompanionSeed(record.id) }
    }

    func run() async {
        let feed = await hub.feeds.feed(of: record.id)
        await feed.follow(as: connection.principal)
        let drop: @Sendable () -> Void = { [connection] in connection.drop() }
        let facts = CompanionFacts(record)
        let ((opening, last), attachment) = await feed.attach(fellBehind: drop) { session in
            session.refresh(facts)
            return (session.opening, session.lastSeq)
        }
        start = last
        let pump = Task { [weak self] in
            do {
                for frame in opening { try await self?.tell(frame) }
                for await frame in attachment.messages { try await self?.tell(frame) }
                if !Task.isCancelled { await self?.connection.client.close(1000, "the session is gone") }
            } catch {
                drop()
            }
        }
        await connection.run { message, principal in try await self.take(message, feed, principal) }
        pump.cancel()
        await feed.detach(attachment.number)
    }

    private func tell(_ frame: CompanionFrame) async throws {
        guard var seed else { return try await connection.send(frame.json) }
        let messages = seed.messages(for: frame)
        self.seed = seed
        for message in messages { try await connection.send(message) }
    }

    private func refuse(_ reason: String) async throws { try await tell(CompanionFrame(seq: nil, .error(reason))) }

    private func take(
        _ message: Doorway.Message, _ feed: ConversationFeed<CompanionSession>, _ principal: Principal
    ) async throws {
        guard case .text(let text, _) = message else {
            return try await refuse("messages are JSON text, not binary frames")
        }
        let message: CompanionBrowserMessage
        do { message = try CompanionBrowserMessage(parsing: text) } catch {
            return try await refuse(error.description)
        }
        let needed = message.needs
        guard principal.role >= needed else {
            return try await refuse("this needs the role \(needed) or a higher one; yours is \(principal.role)")
        }
        if message.changesState {
            let id = message.clientID
            guard await feed.read({ $0.isNew(id) }) else { return }
        }
        switch message.content {
        case .subscribe(let lastSeq):
            let start = start
            for frame in await feed.read({ $0.resumption(after: lastSeq, through: start) }) { try await tell(frame) }
        case .acknowledge: break
        case .hello(let usesSeed): seed = usesSeed ? CompanionSeed(record.id) : nil
        case .unsupported(let type): try await refuse("'\(type)' is not something that this server does")
        case .permissionResponse(let answer): try await take(answer, feed, principal)
        case .userMessage(let text, let images):
            let clientID = message.clientID
            try await request(feed) { hub, record in
                try await hub.sessions.prompt(record.id, text, images: images, clientID: clientID, by: principal)
            }
        // Not behind the prompts that wait.
        case .interrupt: try await order(.interrupt, principal)
        case .endSession:
            try await request(feed) { hub, record in _ = try await hub.sessions.stop(record.id, by: principal) }
        case .stopTask(let task): try await order(.stopTask(task), principal)
        case .setModel(let model): try await order(.setModel(model), principal)
        case .setPermissionMode(let mode): try await order(.setPermissionMode(mode), principal)
        case .mcpStatus: try await tellServers(principal)
        case .mcpToggle(let server, let enabled):
            if try await order(.mcpToggle(server: server, enabled: enabled), principal) != nil {
                try await tellServers(principal)
            }
        case .mcpReconnect(let server):
            if try await order(.mcpReconnect(server: server), principal) != nil { try await tellServers(principal) }
        }
    }

    private func take(
        _ answer: CompanionPermissionAnswer, _ feed: ConversationFeed<CompanionSession>, _ principal: Principal
    ) async throws {
        guard await feed.read({ $0.asked(answer.request) }) else {
            return try await refuse("no permission '\(answer.request.prefix(64))' is asked for")
        }
        guard try await order(.answer(answer.answer), principal) != nil, let mode = answer.mode else { return }
        guard principal.role >= .user else {
            return try await refuse("the tool was allowed; the mode stays: changing it needs the role \(Role.user)")
        }
        try await order(.setPermissionMode(mode), principal)
    }

    /// What became of the session's tool servers is told to whoever asked.
    private func tellServers(_ principal: Principal) async throws {
        guard let data = try await order(.mcpStatus, principal) else { return }
        try await tell(CompanionFrame(seq: nil, .mcpStatus(data["mcpServers"] ?? [])))
    }

    /// Gives the session a command at once. The browser is told why it was not done.
    /// - Returns: nil when it was not.
    @discardableResult
    private func order(_ command: SessionCommand, _ principal: Principal) async throws -> JSONValue? {
        do { return try await hub.sessions.order(record.id, command, by: principal) } catch {
            try await refuse(Problem(any: error).detail)
            return nil
        }
    }

    private func request(
        _ feed: ConversationFeed<CompanionSession>,
        _ run: @escaping @Sendable (CompanionHub, SessionRecord) async throws -> Void
    ) async throws {
        let (hub, record) = (hub, record)
        let taken = await feed.request {
            try await run(hub, record)
        } failed: { [weak self] reason in
            try? await self?.refuse(reason)
        }
        if !taken { try await refuse("too many messages wait for the session; wait until it has taken some") }
    }
}

extension CompanionBrowserMessage {
    /// The role that may send it.
    fileprivate var needs: Role {
        switch content {
        case .permissionResponse: .approver
        case .subscribe, .acknowledge, .hello, .unsupported: .viewer
        default: .user
        }
    }
}
