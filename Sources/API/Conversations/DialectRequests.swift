import Dialects
import Registry
import SessionCore
import Supervisor

/// What foreign clients ask of a session, in the words of the control plane.
extension SessionService {
    /// Says something to a session; a parked one wakes.
    func prompt(_ id: SessionID, _ text: String, clientID: String?, by principal: Principal) async throws {
        _ = try await input(id, text: text, clientID: clientID, submit: true, by: principal)
    }

    /// Answers a question that the session asks.
    /// - Parameter question: the id under which it was asked.
    func answer(
        _ id: SessionID, _ question: String, allowed: Bool, message: String? = nil, updatedInput: JSONValue? = nil,
        by principal: Principal
    ) async throws {
        // What is asked is known before its dialog takes keys, and a key that comes too early is nobody's answer.
        if allowed { try await waitForDialog(id, by: principal) }
        let answer = try await dialect(
            id, name: "echokit", message: ["type": allowed ? "confirm" : "cancel"], by: principal)
        guard answer["type"] != "session_error" else {
            throw Problem(409, "wrong_state", "the session does not wait for an answer any more")
        }
    }

    private func waitForDialog(_ id: SessionID, by principal: Principal) async throws {
        for _ in 0..<100 {
            let state = try await dialect(id, name: "echokit", message: ["type": "get_current_state"], by: principal)
            if state["current_state"]?["is_pending"]?.bool == true { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw Problem(409, "wrong_state", "the session does not wait for an answer any more")
    }
}
