import ClaudeCode
import SessionCore

/// Hooks of a terminal session that wait for the answer to a permission. The dialog on the screen waits too: whoever
/// answers first, there or here, answers both.
struct HookCalls {
    /// The one whose report is being taken.
    var arriving: HookCall?
    /// By the permission's id.
    private var waiting: [String: HookCall] = [:]

    /// The permission that just came is the arriving call's.
    mutating func claim(_ id: String) -> HookCall? {
        guard let call = arriving else { return nil }
        waiting[id] = call
        return call
    }

    func holds(_ call: HookCall) -> Bool { waiting.values.contains { $0 === call } }

    mutating func take(_ id: String) -> HookCall? { waiting.removeValue(forKey: id) }
}

extension PermissionAnswer {
    /// What a `PermissionRequest` hook answers.
    func hookDecision(for question: PermissionLedger.Question) -> JSONValue {
        var decision: [String: JSONValue] = ["behavior": .string(decision.rawValue)]
        switch self.decision {
        case .allow:
            decision["updatedInput"] = input(for: question)
            if remember != nil { decision["updatedPermissions"] = .array(PermissionRule.remembering(question)) }
        case .deny:
            decision["message"] = .string(message ?? "Denied by the user.")
            if interrupts { decision["interrupt"] = true }
        }
        return [
            "hookSpecificOutput": [
                "hookEventName": .string(HookEvent.permissionRequest.rawValue), "decision": .object(decision),
            ]
        ]
    }
}
