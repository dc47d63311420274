public import Registry
public import SessionCore

/// What becomes of a session whose program runs elsewhere.
public struct ElsewhereChange: Sendable {
    /// nil: it stays what it is.
    public var to: Lifecycle?
    public var reason: Reason?
    /// The last number that it used.
    public var lastSequence: UInt64
    public var changes = SessionChanges()

    public init(to: Lifecycle? = nil, reason: Reason? = nil, lastSequence: UInt64) {
        self.to = to
        self.reason = reason
        self.lastSequence = lastSequence
    }
}

/// Sessions whose programs run elsewhere: here they are rows and journals. See ``SessionRegistry/insert(elsewhere:for:at:)``.
extension SessionSupervisor {
    public func sessionsElsewhere() async throws(SupervisorError) -> Set<SessionID> {
        try await stored { () async throws(RegistryError) in try await registry.sessionsElsewhere() }
    }

    public func add(elsewhere id: SessionID, for principal: Principal) async throws(SupervisorError) -> SessionRecord {
        guard phase == .running else { throw SupervisorError(.unavailable, "the supervisor is starting or stopping") }
        let now = clock.now()
        let record = try await stored { () async throws(RegistryError) in
            try await registry.insert(elsewhere: id, for: principal, at: now)
        }
        writeManifest(record)
        return record
    }

    /// Durable when it returns.
    public func note(elsewhere id: SessionID, _ change: ElsewhereChange) async throws(SupervisorError) -> SessionRecord
    {
        try await exclusively(id) { (supervisor, entry) async throws(SupervisorError) in
            let now = supervisor.clock.now()
            let known = try await stored { () async throws(RegistryError) in try await supervisor.registry.session(id) }
            guard let known, known.kind == .remote, known.desired != .deleted else {
                throw SupervisorError(.notFound, "there is no session \(id) elsewhere")
            }
            entry.record = known
            if let to = change.to, to != known.lifecycle {
                let record = try await supervisor.commit(
                    entry,
                    SessionTransition(
                        from: [.parked, .stopped], incarnation: known.incarnation, to: to,
                        desired: to == .stopped ? .stopped : .parked, reason: change.reason, actor: Self.ownName,
                        lastSequence: change.lastSequence, takesNumber: false, time: now, changes: change.changes))
                if let record { return record }
            } else {
                let record = try await stored { () async throws(RegistryError) in
                    try await supervisor.registry.update(
                        id, change.changes, lastSequence: change.lastSequence, at: now)
                }
                if let record {
                    entry.record = record
                    supervisor.writeManifest(record)
                    return record
                }
            }
            throw SupervisorError(.wrongState, "session \(id) changed meanwhile: try again")
        }
    }

    /// Where a session's journal is, or is to be made.
    public func journal(elsewhere id: SessionID) -> String { "\(configuration.stateDirectory)/journals/\(id)" }
}
