import Dialects
import Foundation
import Registry
import SessionCore
import Supervisor

extension EchokitResponses: ConversationDialect {
    mutating func settle(lifecycle: Lifecycle, activity: Activity?) {}
    mutating func apply(_ event: ConversationEvent) -> [JSONValue] { apply(event.fact) }
}

/// One client of `/ws` without an id that speaks in commands (seed-protocols 1.9).
actor EchokitCommandConnection {
    private let sessions: any SessionService
    private let feeds: ConversationFeeds<EchokitResponses>
    private let connection: DialectConnection
    /// What a command without a session of its own is for; made on first use.
    private let session: SessionID
    private var pumps: [SessionID: (feed: ConversationFeed<EchokitResponses>, number: Int, pump: Task<Void, Never>)] =
        [:]
    private static let mostSessions = 16

    init(
        _ sessions: any SessionService, _ feeds: ConversationFeeds<EchokitResponses>, _ connection: DialectConnection,
        session: SessionID
    ) {
        self.sessions = sessions
        self.feeds = feeds
        self.connection = connection
        self.session = session
    }

    func run(first: Doorway.Message) async {
        do {
            try await take(first, connection.principal)
            await connection.run { message, principal in try await self.take(message, principal) }
        } catch {
            connection.drop()
        }
        for (feed, number, pump) in pumps.values {
            pump.cancel()
            await feed.detach(number)
        }
    }

    private func take(_ message: Doorway.Message, _ principal: Principal) async throws {
        guard case .text(let text, _) = message, let command = EchokitCommand(parsing: text) else {
            return try await connection.send(EchokitError.unparsable.value)
        }
        let name = command.session ?? session.description
        guard let id = SessionID(parsing: name) else {
            return try await connection.send(EchokitError.badID(name).value)
        }
        guard principal.role >= .user else {
            return await refuse(id, "the role \(principal.role) may look at a session, not talk to it")
        }
        guard let feed = await join(id) else {
            return await refuse(id, "a connection talks to at most \(Self.mostSessions) sessions")
        }
        let sessions = sessions
        let taken = await feed.request {
            try await sessions.ensureRunning(id, by: principal)
            await feed.follow(as: principal)
            _ = await feed.read { $0.asked() }
            try await sessions.prompt(id, command.content, clientID: nil, by: principal)
        } failed: { [weak self] reason in
            await self?.refuse(id, reason)
        }
        if !taken { await refuse(id, "too many commands wait for the session") }
    }

    private func join(_ id: SessionID) async -> ConversationFeed<EchokitResponses>? {
        if let known = pumps[id] { return known.feed }
        guard pumps.count < Self.mostSessions else { return nil }
        let feed = await feeds.feed(of: id)
        let drop: @Sendable () -> Void = { [connection] in connection.drop() }
        let (_, attachment) = await feed.attach(fellBehind: drop) { _ in }
        let connection = connection
        let pump = Task {
            do {
                for await message in attachment.messages { try await connection.send(message) }
            } catch {
                drop()
            }
        }
        pumps[id] = (feed, attachment.number, pump)
        return feed
    }

    private func refuse(_ id: SessionID, _ reason: String) async {
        try? await connection.send(EchokitError.failed(id.description, "internal_error", reason).value)
    }
}
