import Dialects
import Foundation
import Registry
import SessionCore
import Supervisor

/// Permissions that sessions here asked for, as claude-remote's prompts.
struct OwnPermissions: Sendable {
    /// What is remembered of those that were answered: who comes late is told so.
    private static let most = 2000

    struct Entry: Sendable {
        var prompt: ClaudeRemotePrompt
        var session: SessionID
        /// As `permission.requested` has it.
        var permission: JSONValue
    }

    private var entries: [Int64: Entry] = [:]
    private var order: [Int64] = []
    var following: Task<Void, Never>?
    /// Sessions that said something, for whoever may hear it.
    var records: [SessionID: SessionRecord] = [:]

    mutating func keep(_ entry: Entry) {
        if entries.updateValue(entry, forKey: entry.prompt.id) == nil { order.append(entry.prompt.id) }
        if order.count > Self.most { entries[order.removeFirst()] = nil }
    }

    subscript(id: Int64) -> Entry? { entries[id] }

    mutating func respond(_ id: Int64, _ response: String, at time: Date) -> ClaudeRemotePrompt? {
        guard entries[id]?.prompt.response == nil else { return nil }
        entries[id]?.prompt.response = response
        entries[id]?.prompt.respondedAt = time
        // Nobody looks at the rest any more.
        if let name = entries[id]?.permission["id"] { entries[id]?.permission = ["id": name] }
        return entries[id]?.prompt
    }
}

extension ClaudeRemoteHub {
    /// Sees every session; readers see their own.
    private static let everything = Principal(
        tenantID: 0, userID: 0, name: "claude-remote", role: .operator, tokenID: nil)

    /// Listens to the sessions here, once.
    func follow() async {
        guard permissions.following == nil else { return }
        permissions.following = Task {}
        let events = await sessions.events(as: Self.everything)
        permissions.following = Task { [weak self] in
            for await event in events { await self?.take(event) }
        }
    }

    private func take(_ event: SessionEvent) async {
        let told: ClaudeRemoteEvent
        switch event.type {
        case .permissionRequested:
            guard let prompt = ClaudeRemotePrompt(event.sessionID, permission: event.data) else { return }
            permissions.keep(.init(prompt: prompt, session: event.sessionID, permission: event.data))
            told = .prompt(prompt)
        case .permissionResolved:
            let id = ClaudeRemotePrompt.number(event.sessionID, event.data["id"]?.string ?? "")
            guard
                let prompt = permissions.respond(id, ClaudeRemotePrompt.response(of: event.data), at: event.time)
            else { return }
            told = .promptResponse(prompt)
        case .sessionRunning: told = .ownStart(event.sessionID, time: event.time)
        case .sessionParked, .sessionStopped, .sessionFailed, .sessionDeleted:
            told = .ownEnd(event.sessionID, time: event.time)
        default: return
        }
        guard let record = await record(of: event.sessionID) else { return }
        if event.type == .sessionDeleted { permissions.records[event.sessionID] = nil }
        tell(told, to: .session(record))
    }

    private func record(of id: SessionID) async -> SessionRecord? {
        if let known = permissions.records[id] { return known }
        guard let view = try? await sessions.session(id, as: Self.everything) else { return nil }
        permissions.records[id] = view.record
        return view.record
    }

    /// What sessions here ask that a caller may answer, the oldest first.
    func openPermissions(as principal: Principal) async -> [(ClaudeRemotePrompt, SessionRecord)] {
        var found: [(ClaudeRemotePrompt, SessionRecord)] = []
        for permission in (try? await sessions.permissions(as: principal)) ?? [] {
            guard let prompt = ClaudeRemotePrompt(permission.session, permission: permission.data),
                let record = await record(of: permission.session)
            else { continue }
            permissions.keep(.init(prompt: prompt, session: permission.session, permission: permission.data))
            found.append((prompt, record))
        }
        return found
    }

    /// Answers a permission of a session here.
    /// - Parameter name: the prompt's number, or the permission's own id.
    /// - Returns: nil when the caller sees none of that name.
    func answerOwn(
        _ name: String, _ response: String, by principal: Principal,
        _ choose: @Sendable (JSONValue) -> PermissionAnswer
    ) async throws -> ClaudeRemotePrompt? {
        await follow()
        let open = await openPermissions(as: principal).first { prompt, _ in
            String(prompt.id) == name || permissions[prompt.id]?.permission["id"]?.string == name
        }
        guard let entry = permissions[open?.0.id ?? Int64(name) ?? 0],
            let record = await record(of: entry.session), principal.maySee(record)
        else { return nil }
        let answer = choose(entry.permission)
        guard answer.decision == .deny || !entry.prompt.isCut else {
            throw Problem(409, "not_answerable", "it is not shown whole here: answer it where it is, or reject it")
        }
        do {
            try await sessions.order(entry.session, .answer(answer), by: principal)
        } catch var problem as Problem where problem.code == "already_answered" {
            problem.members["prompt"] = (permissions[entry.prompt.id] ?? entry).prompt.json
            throw problem
        }
        var prompt = entry.prompt
        prompt.response = response
        prompt.respondedAt = Date()
        return prompt
    }
}
