import Registry
import SessionCore
import Synchronization

/// Whose each session is, which is asked with every request to the model.
final class SessionOwners: Sendable {
    private let registry: SessionRegistry
    private let known = Mutex<[SessionID: CredentialOwner]>([:])

    /// Bounded: what is forgotten is looked up again.
    private static let most = 10_000

    init(_ registry: SessionRegistry) { self.registry = registry }

    /// - Returns: nil where there is no such session.
    func owner(of session: SessionID) async throws(RegistryError) -> CredentialOwner? {
        if let owner = known.withLock({ $0[session] }) { return owner }
        guard let owner = try await registry.owner(of: session) else { return nil }
        // A session never changes hands.
        known.withLock {
            if $0.count >= Self.most { $0.removeAll() }
            $0[session] = owner
        }
        return owner
    }
}
