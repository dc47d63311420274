public import Registry
public import SessionCore
public import WorkerControl

/// The control plane: decides what runs, knows what does, and answers the API. Every call takes the caller; what
/// the caller may not see does not exist (`SupervisorError.Code.notFound`).
public actor SessionSupervisor {
    public init() {}

    /// Makes a session durable, starts it, and returns once it runs. The same idempotency key of the same caller
    /// returns the session made before.
    public func create(
        _ creation: SessionCreation, idempotencyKey: String?, by principal: Principal
    ) async throws(SupervisorError) -> SessionView {
        throw SupervisorError(.unavailable, "not built yet")
    }

    public func list(
        _ filter: SessionFilter, as principal: Principal
    ) async throws(SupervisorError) -> SessionPage { throw SupervisorError(.unavailable, "not built yet") }

    public func session(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> SessionView {
        throw SupervisorError(.unavailable, "not built yet")
    }

    public func update(
        _ id: SessionID, _ patch: SessionPatch, by principal: Principal
    ) async throws(SupervisorError) -> SessionView { throw SupervisorError(.unavailable, "not built yet") }

    /// Stops the session, then removes it and its directories.
    public func delete(
        _ id: SessionID, keepWorkspace: Bool, by principal: Principal
    ) async throws(SupervisorError) { throw SupervisorError(.unavailable, "not built yet") }

    /// Ends the incarnation; only ``resume(_:by:)`` starts the session again. Idempotent.
    public func stop(_ id: SessionID, by principal: Principal) async throws(SupervisorError) -> SessionView {
        throw SupervisorError(.unavailable, "not built yet")
    }

    /// Ends the incarnation; the next input or attach with wake starts the session again. Idempotent.
    public func park(_ id: SessionID, by principal: Principal) async throws(SupervisorError) -> SessionView {
        throw SupervisorError(.unavailable, "not built yet")
    }

    /// Starts a parked, stopped or failed session again. Idempotent.
    public func resume(_ id: SessionID, by principal: Principal) async throws(SupervisorError) -> SessionView {
        throw SupervisorError(.unavailable, "not built yet")
    }

    /// Types text into the session, waking it when parked. Returns the input's sequence number once it is logged.
    public func input(
        _ id: SessionID, text: String, clientID: String?, submit: Bool, by principal: Principal
    ) async throws(SupervisorError) -> UInt64 { throw SupervisorError(.unavailable, "not built yet") }

    /// Cancels the running turn. Never wakes.
    public func interrupt(_ id: SessionID, by principal: Principal) async throws(SupervisorError) {
        throw SupervisorError(.unavailable, "not built yet")
    }

    /// The screen now. Never wakes: `wrongState` when nothing runs.
    public func screen(
        _ id: SessionID, format: ScreenFormat, as principal: Principal
    ) async throws(SupervisorError) -> ScreenContent { throw SupervisorError(.unavailable, "not built yet") }

    /// The session's events above `since` (a `gap` first where some are gone), then live ones, until the session is
    /// deleted or the reader stops. Never wakes. A reader that falls behind gets a `gap`.
    public func events(
        _ id: SessionID, since: UInt64?, as principal: Principal
    ) async throws(SupervisorError) -> AsyncStream<SessionEvent> {
        throw SupervisorError(.unavailable, "not built yet")
    }

    /// Live events of every session the caller may see, from now on.
    public func events(as principal: Principal) async -> AsyncStream<SessionEvent> { AsyncStream { $0.finish() } }

    public func idle(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> IdleReport {
        throw SupervisorError(.unavailable, "not built yet")
    }

    public func stats(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> SessionStats {
        throw SupervisorError(.unavailable, "not built yet")
    }

    /// Hands one message of a foreign protocol to the session's worker and returns the dialect's answer, waking the
    /// session when parked.
    public func dialect(
        _ id: SessionID, name: String, message: JSONValue, by principal: Principal
    ) async throws(SupervisorError) -> JSONValue { throw SupervisorError(.unavailable, "not built yet") }

    /// Path of the worker's client socket for a relayed WebSocket. With `wake` a parked session is started first
    /// (a stopped one is not: `wrongState`).
    public func clientSocket(
        _ id: SessionID, wake: Bool, by principal: Principal
    ) async throws(SupervisorError) -> String { throw SupervisorError(.unavailable, "not built yet") }

    public func readiness() async -> Readiness { Readiness(ready: false, checks: [:]) }
}
