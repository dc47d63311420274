public import Foundation

/// Says whether a session may still spend.
public protocol ModelBudget: Sendable {
    /// - Throws: ``Refusal`` for a session that has nothing left.
    func admit(_ session: UUID) async throws(Refusal)
}

/// Everybody may spend whatever they want.
public struct NoBudget: ModelBudget {
    public init() {}
    public func admit(_ session: UUID) async throws(Refusal) {}
}
