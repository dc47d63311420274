import Registry
import SessionCore
import Synchronization

/// What never changes about a session, which is asked with every request to the model: read from the registry once.
final class SessionFacts<Fact: Sendable>: Sendable {
    private let read: @Sendable (SessionID) async throws(RegistryError) -> Fact?
    private let known = Mutex<[SessionID: Fact]>([:])

    /// - Parameter read: nil where there is no such session.
    init(_ read: @escaping @Sendable (SessionID) async throws(RegistryError) -> Fact?) { self.read = read }

    /// - Returns: nil where there is no such session.
    func fact(of session: SessionID) async throws(RegistryError) -> Fact? {
        if let fact = known.withLock({ $0[session] }) { return fact }
        guard let fact = try await read(session) else { return nil }
        known.withLock {
            if $0.count >= sessionFactsKept { $0.removeAll() }
            $0[session] = fact
        }
        return fact
    }
}

/// Bounded: what is forgotten is looked up again.
private let sessionFactsKept = 10_000

/// Whose each session is: a session never changes hands.
typealias SessionOwners = SessionFacts<CredentialOwner>

extension SessionFacts<CredentialOwner> {
    convenience init(_ registry: SessionRegistry) {
        self.init { session throws(RegistryError) in try await registry.owner(of: session) }
    }

    func owner(of session: SessionID) async throws(RegistryError) -> CredentialOwner? { try await fact(of: session) }
}
