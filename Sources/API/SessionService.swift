public import Foundation
public import Policy
public import Registry
public import SessionCore
public import Supervisor
public import WorkerControl

/// What the API asks of the control plane: exactly the calls of `SessionSupervisor`, which is the one in production.
/// A protocol so that the wire's behaviour (routing, authentication, relay, doorman) is tested against a control
/// plane that answers at will, with no sandbox behind it.
public protocol SessionService: Sendable {
    func create(
        _ creation: SessionCreation, idempotencyKey: String?, by principal: Principal
    ) async throws(SupervisorError) -> SessionView
    func list(_ filter: SessionFilter, as principal: Principal) async throws(SupervisorError) -> SessionPage
    func session(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> SessionView
    func update(
        _ id: SessionID, _ patch: SessionPatch, by principal: Principal
    ) async throws(SupervisorError) -> SessionView
    func delete(_ id: SessionID, keepWorkspace: Bool, by principal: Principal) async throws(SupervisorError)
    func stop(_ id: SessionID, by principal: Principal) async throws(SupervisorError) -> SessionView
    func park(_ id: SessionID, by principal: Principal) async throws(SupervisorError) -> SessionView
    func resume(_ id: SessionID, by principal: Principal) async throws(SupervisorError) -> SessionView
    func input(
        _ id: SessionID, text: String, clientID: String?, submit: Bool, by principal: Principal
    ) async throws(SupervisorError) -> UInt64
    /// One command for the session's program; a prompt wakes a session that is parked.
    func command(
        _ id: SessionID, _ command: SessionCommand, by principal: Principal
    ) async throws(SupervisorError) -> CommandOutcome
    /// Every permission that is open and that the caller may answer, the oldest first.
    func permissions(as principal: Principal) async throws(SupervisorError) -> [SessionPermission]
    /// Decisions that were made, the newest first.
    func audit(
        as principal: Principal, before: Int64?, limit: Int
    ) async throws(SupervisorError) -> [AuditRecord]
    /// Goes on with the session in another kind, at rest.
    func switchKind(
        _ id: SessionID, to kind: SessionKind, by principal: Principal
    ) async throws(SupervisorError) -> SessionView
    /// A new session that begins as a copy of one at rest.
    func fork(
        _ id: SessionID, _ creation: SessionCreation, idempotencyKey: String?, by principal: Principal
    ) async throws(SupervisorError) -> SessionView
    func interrupt(_ id: SessionID, by principal: Principal) async throws(SupervisorError)
    func screen(
        _ id: SessionID, format: ScreenFormat, as principal: Principal
    ) async throws(SupervisorError) -> ScreenContent
    func events(
        _ id: SessionID, since: UInt64?, as principal: Principal
    ) async throws(SupervisorError) -> AsyncStream<SessionEvent>
    func history(
        _ id: SessionID, before: UInt64?, limit: Int, as principal: Principal
    ) async throws(SupervisorError) -> SessionHistory
    func past(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> SessionPast
    func events(as principal: Principal) async -> AsyncStream<SessionEvent>
    func idle(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> IdleReport
    func stats(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> SessionStats
    func egress(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> EgressView
    func dialect(
        _ id: SessionID, name: String, message: JSONValue, by principal: Principal
    ) async throws(SupervisorError) -> JSONValue
    func clientSocket(
        _ id: SessionID, wake: Bool, by principal: Principal
    ) async throws(SupervisorError) -> String
    /// Gives the session a file; answers its path as the session sees it.
    func upload(
        _ id: SessionID, name: String, content: Data, by principal: Principal
    ) async throws(SupervisorError) -> String
    /// What a credential is worth has changed: its clients, wherever they are, are given what it is worth now.
    func credentialChanged(_ name: CredentialName, reason: String) async
    /// Sessions whose programs run elsewhere, those that are not deleted.
    func sessionsElsewhere() async throws(SupervisorError) -> Set<SessionID>
    func add(elsewhere id: SessionID, for principal: Principal) async throws(SupervisorError) -> SessionRecord
    func note(elsewhere id: SessionID, _ change: ElsewhereChange) async throws(SupervisorError) -> SessionRecord
    /// The directory of its journal.
    func journal(elsewhere id: SessionID) async -> String
    /// Keeps who answered a permission.
    func audit(_ event: SessionEvent, of record: SessionRecord) async
    func images(as principal: Principal) async -> [ImageView]
    func policies() async -> PolicyStore
    func readiness() async -> Readiness
    /// What became of the sessions that the supervisor found when it started; nil before.
    func adoptionReport() async -> AdoptionReport?
    /// The sandboxes that wait for sessions.
    func spareReport() async -> SpareReport
    func upgrade(
        workers renewal: WorkerRenewal, replacesSupervisor: Bool, by principal: Principal
    ) async throws(SupervisorError)
    func upgradeReport() async -> UpgradeReport
}

extension SessionSupervisor: SessionService {}
