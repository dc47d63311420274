public import Foundation
public import Gateway
public import Logging
public import Policy
public import Registry
import SessionCore
import Synchronization

/// The key `request_bodies` of sessions' policies.
public final class PolicyBodies: BodyPolicy {
    private struct State {
        /// By policy; those that keep none are left out.
        var bytes: [String: Int]
        /// A session keeps its policy.
        var policies: [SessionID: String] = [:]
    }

    private let registry: SessionRegistry
    private let logger: Logger
    private let state: Mutex<State>

    /// Bounded: what is forgotten is looked up again.
    private static let most = 10_000

    public init(_ registry: SessionRegistry, policies: PolicyStore, logger: Logger) {
        self.registry = registry
        self.logger = logger
        state = Mutex(State(bytes: Self.bytes(policies)))
    }

    /// From now on these hold.
    public func use(_ policies: PolicyStore) {
        let bytes = Self.bytes(policies)
        state.withLock { $0.bytes = bytes }
    }

    private static func bytes(_ policies: PolicyStore) -> [String: Int] {
        Dictionary(
            uniqueKeysWithValues: policies.all.compactMap { policy in
                policy.requestBodies.map { (policy.name, Int(clamping: $0.bytes)) }
            })
    }

    public func bytesKept(of session: UUID) async -> Int {
        let id = SessionID(session)
        let (bytes, known) = state.withLock { ($0.bytes, $0.policies[id]) }
        if bytes.isEmpty { return 0 }
        if let known { return bytes[known] ?? 0 }
        do throws(RegistryError) {
            guard let policy = try await registry.policy(of: id) else { return 0 }
            state.withLock {
                if $0.policies.count >= Self.most { $0.policies.removeAll() }
                $0.policies[id] = policy
            }
            return bytes[policy] ?? 0
        } catch {
            logger.warning(
                "a session's policy cannot be read: the bodies of its request are not kept",
                metadata: ["session": "\(id)", "error": "\(error)"])
            return 0
        }
    }
}
