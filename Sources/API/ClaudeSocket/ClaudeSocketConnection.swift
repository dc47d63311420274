import Dialects
import Foundation
import Registry
import SessionCore
import Supervisor

/// What all claude-socket clients share.
struct ClaudeSocketHub: Sendable {
    let sessions: any SessionService
    let authenticator: Authenticator
    let names: ClaudeSocketNames
    let feeds: ConversationFeeds<ClaudeSocketSession>

    init(sessions: any SessionService, authenticator: Authenticator) {
        self.sessions = sessions
        self.authenticator = authenticator
        names = ClaudeSocketNames(sessions: sessions)
        feeds = ConversationFeeds(sessions: sessions) { _ in ClaudeSocketSession() }
    }

    /// What claude-socket answers to every request that is no WebSocket.
    func health() async -> JSONValue {
        ["status": "ok", "sessions": .integer(Int64(await feeds.countWithReaders()))]
    }

    func serve(_ upgrade: PendingUpgrade, _ request: CallerRequest, _ principal: Principal) async throws {
        let name = request.query["session"] ?? "default"
        guard name.count <= ClaudeSocketClientMessage.longestName else {
            throw Problem.invalid("a session's name has at most 200 characters", field: "session")
        }
        let connection = try await DialectConnection(upgrade, authenticator, principal)
        await ClaudeSocketConnection(self, connection, name: name, echoes: try request.query.bool("echo")).run()
    }
}

/// One claude-socket client (seed-protocols 2).
actor ClaudeSocketConnection {
    /// Sessions that one connection may follow.
    private static let mostSessions = 16

    private struct Joined {
        var feed: ConversationFeed<ClaudeSocketSession>
        var number: Int
        var pump: Task<Void, Never>
    }

    private let hub: ClaudeSocketHub
    private let connection: DialectConnection
    private let name: String
    private let echoes: Bool
    private var joined: [String: Joined] = [:]

    init(_ hub: ClaudeSocketHub, _ connection: DialectConnection, name: String, echoes: Bool) {
        self.hub = hub
        self.connection = connection
        self.name = name
        self.echoes = echoes
    }

    func run() async {
        do { _ = try await join(name, as: connection.principal) } catch {
            try? await tell(.error(Problem(any: error).detail), name)
        }
        await connection.run { message, principal in try await self.take(message, principal) }
        for session in joined.values {
            session.pump.cancel()
            await session.feed.detach(session.number)
        }
    }

    private func tell(_ message: ClaudeSocketServerMessage, _ name: String) async throws {
        guard echoes || !message.isExtension else { return }
        try await connection.send(message.json(session: name))
    }

    /// Follows a session from now on; told at once are the questions that are open.
    private func join(
        _ name: String, as principal: Principal
    ) async throws -> ConversationFeed<ClaudeSocketSession> {
        if let known = joined[name] { return known.feed }
        guard joined.count < Self.mostSessions else {
            throw Problem(429, "too_many", "a connection follows at most \(Self.mostSessions) sessions")
        }
        let feed = await hub.feeds.feed(of: try await hub.names.session(of: name, for: principal))
        await feed.follow(as: principal)
        let drop: @Sendable () -> Void = { [connection] in connection.drop() }
        let (questions, attachment) = await feed.attach(fellBehind: drop) { $0.questions }
        // Nobody else joins meanwhile: messages are taken one at a time.
        let pump = Task { [weak self] in
            do {
                for question in questions { try await self?.tell(.permissionRequest(question), name) }
                for await message in attachment.messages { try await self?.tell(message, name) }
                // The session is gone, and the name is free: the next message to it makes another.
                if !Task.isCancelled { await self?.leave(name, principal) }
            } catch {
                drop()
            }
        }
        joined[name] = Joined(feed: feed, number: attachment.number, pump: pump)
        return feed
    }

    private func leave(_ name: String, _ principal: Principal) async {
        joined[name] = nil
        await hub.names.release(name, for: principal)
    }

    private func take(_ message: Doorway.Message, _ principal: Principal) async throws {
        do throws(ClaudeSocketRefusal) {
            guard case .text(let text, _) = message else { throw .binary }
            switch try ClaudeSocketClientMessage(parsing: text) {
            case .message(let session, let content, let user, let time):
                let chat = session ?? name
                let origin = ChannelOrigin(chat: chat, user: user ?? principal.name, time: time)
                await say(content, to: chat, origin, principal)
            case .fetchHistory(let session, let limit): await history(of: session ?? name, limit, principal)
            case .permissionResponse(let request, let allowed): await answer(request, allowed, principal)
            }
        } catch {
            try await tell(.error(error.message), error.session)
        }
    }

    private func say(
        _ content: String, to name: String, _ origin: ChannelOrigin, _ principal: Principal
    ) async {
        guard principal.role >= .user else {
            return await refuse("the role \(principal.role) may look at a session, not talk to it", name)
        }
        do {
            let feed = try await join(name, as: principal)
            let hub = hub
            let taken = await feed.request {
                try await hub.ensure(feed.id, name, principal)
                await feed.follow(as: principal)
                try await hub.sessions.prompt(feed.id, content, clientID: nil, channel: origin, by: principal)
            } failed: { [weak self] reason in
                await self?.refuse(reason, name)
            }
            guard taken else {
                return await refuse("too many messages wait for the session; wait until it has taken some", name)
            }
            await feed.change { $0.take(content, at: Date()) }
        } catch {
            await refuse(Problem(any: error).detail, name)
        }
    }

    private func history(of name: String, _ limit: Int, _ principal: Principal) async {
        do {
            let feed: ConversationFeed<ClaudeSocketSession>
            if let known = joined[name] {
                feed = known.feed
            } else {
                feed = await hub.feeds.feed(of: try await hub.names.session(of: name, for: principal))
                await feed.follow(as: principal)
            }
            let entries = await feed.read { $0.history(limit: limit) }
            try await tell(.history(entries), name)
        } catch {
            await refuse(Problem(any: error).detail, name)
        }
    }

    private func answer(_ request: String, _ allowed: Bool, _ principal: Principal) async {
        guard principal.role >= .approver else {
            return await refuse("the role \(principal.role) may not answer permissions", name)
        }
        for (name, session) in joined {
            guard await session.feed.read({ $0.asked(request) }) else { continue }
            do {
                try await hub.sessions.order(
                    session.feed.id, .answer(PermissionAnswer(id: request, decision: allowed ? .allow : .deny)),
                    by: principal)
            } catch {
                await refuse(Problem(any: error).detail, name)
            }
            return
        }
        await refuse("no permission '\(request.prefix(64))' is asked for", name)
    }

    private func refuse(_ reason: String, _ name: String) async {
        try? await tell(.error(reason), name)
    }
}

extension ClaudeSocketHub {
    /// Makes the session of a name, if there is none.
    func ensure(_ id: SessionID, _ name: String, _ principal: Principal) async throws {
        do throws(SupervisorError) {
            _ = try await sessions.session(id, as: principal)
            return
        } catch {
            guard error.code == .notFound else { throw error }
        }
        do throws(SupervisorError) {
            _ = try await sessions.create(
                SessionCreation(
                    id: id, name: ClaudeSocketNames.title(of: name), kind: .structured,
                    labels: [ClaudeSocketNames.label: ClaudeSocketNames.value(of: name)]),
                idempotencyKey: nil, by: principal)
        } catch {
            guard error.code == .exists else { throw error }
        }
        await names.release(name, for: principal)
    }
}
