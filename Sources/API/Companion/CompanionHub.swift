import Dialects
import Foundation
import Registry
import SessionCore
import Supervisor

/// What all Companion browsers share.
struct CompanionHub: Sendable {
    /// Bytes of one message: pictures go with prompts.
    static let largestMessage = 8 << 20

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
            upgrade, authenticator, principal, largest: Self.largestMessage)
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
            session.facts = facts
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
        if message.changesState {
            let needed = message.needs
            guard principal.role >= needed else {
                return try await refuse("this needs the role \(needed) or a higher one; yours is \(principal.role)")
            }
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
        case .permissionResponse(let answer):
            guard let question = await feed.read({ $0.question(answer.request) }) else {
                return try await refuse(
                    "no permission '\(answer.request.prefix(64))' is asked for, or it was answered already")
            }
            guard await feed.read({ $0.oldestQuestion?.id }) == question.id else {
                return try await refuse("an older permission is to be answered first")
            }
            try await request(feed) { hub, record in
                try await hub.sessions.answer(
                    record.id, question.id, allowed: answer.allowed,
                    message: answer.message ?? CompanionPermissionAnswer.denial, updatedInput: answer.updatedInput,
                    by: principal)
            }
        case .userMessage(let text, let images):
            guard images.isEmpty else {
                return try await refuse("this session takes no pictures")
            }
            let clientID = message.clientID
            try await request(feed) { hub, record in
                try await hub.sessions.prompt(record.id, text, clientID: clientID, by: principal)
            }
        case .interrupt:
            // Not behind the prompts that wait.
            do { try await hub.sessions.interrupt(record.id, by: principal) } catch {
                try await refuse(error.detail)
            }
        case .endSession:
            try await request(feed) { hub, record in _ = try await hub.sessions.stop(record.id, by: principal) }
        case .stopTask, .setModel, .setPermissionMode, .mcpStatus, .mcpToggle, .mcpReconnect:
            try await refuse("a terminal session does not take this")
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
        if case .permissionResponse = content { return .approver }
        return .user
    }
}
