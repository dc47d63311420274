public import Foundation
public import Gateway
public import Logging
public import Policy
public import Registry
import SessionCore
import Synchronization

/// The key `request_bodies` of sessions' policies.
public final class PolicyBodies: BodyPolicy {
    /// The names of sessions' policies: a session keeps its policy.
    private let policies: SessionFacts<String>
    private let logger: Logger
    /// By policy; those that keep none are left out.
    private let bytes: Mutex<[String: Int]>

    public init(_ registry: SessionRegistry, policies: PolicyStore, logger: Logger) {
        self.policies = SessionFacts { session throws(RegistryError) in try await registry.policy(of: session) }
        self.logger = logger
        bytes = Mutex(Self.bytes(policies))
    }

    /// From now on these hold.
    public func use(_ policies: PolicyStore) {
        let new = Self.bytes(policies)
        bytes.withLock { $0 = new }
    }

    private static func bytes(_ policies: PolicyStore) -> [String: Int] {
        Dictionary(
            uniqueKeysWithValues: policies.all.compactMap { policy in
                policy.requestBodies.map { (policy.name, Int(clamping: $0.bytes)) }
            })
    }

    public func bytesKept(of session: UUID) async -> Int {
        let bytes = bytes.withLock { $0 }
        if bytes.isEmpty { return 0 }
        let id = SessionID(session)
        do throws(RegistryError) {
            return try await policies.fact(of: id).flatMap { bytes[$0] } ?? 0
        } catch {
            logger.warning(
                "a session's policy cannot be read: the bodies of its request are not kept",
                metadata: ["session": "\(id)", "error": "\(error)"])
            return 0
        }
    }
}
