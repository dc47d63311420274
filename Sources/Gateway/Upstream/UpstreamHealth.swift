import Foundation
import Synchronization

/// How each upstream answers.
public final class UpstreamHealth: Sendable {
    public struct Standing: Sendable, Hashable {
        public var upstream: String
        /// Nobody asks it at the moment.
        public var isOpen: Bool
        /// In a row without an answer.
        public var failures: Int

        public init(upstream: String, isOpen: Bool, failures: Int) {
            self.upstream = upstream
            self.isOpen = isOpen
            self.failures = failures
        }
    }

    /// Whoever sets credentials names upstreams; more than these are not watched.
    private static let most = 1000

    private let breakers = Mutex<[UpstreamURL: CircuitBreaker]>([:])

    public init() {}

    public var standings: [Standing] {
        breakers.withLock { breakers in
            breakers.map { upstream, breaker in
                Standing(upstream: upstream.description, isOpen: breaker.state != .closed, failures: breaker.failures)
            }
        }.sorted { $0.upstream < $1.upstream }
    }

    /// - Throws: ``Refusal`` while there is no use in asking.
    func begin(_ upstream: UpstreamURL) throws(Refusal) {
        let wait = breakers.withLock { breakers -> Double? in
            guard var breaker = breakers[upstream] else {
                if breakers.count < Self.most { breakers[upstream] = CircuitBreaker() }
                return nil
            }
            let wait = breaker.begin(at: GatewayClock.now)
            breakers[upstream] = breaker
            return wait
        }
        if let wait { throw .resting(seconds: Int(wait.rounded(.up))) }
    }

    func answered(_ upstream: UpstreamURL) { change(upstream) { $0.answered() } }
    func failed(_ upstream: UpstreamURL) { change(upstream) { $0.failed(at: GatewayClock.now) } }
    func gaveUp(_ upstream: UpstreamURL) { change(upstream) { $0.gaveUp(at: GatewayClock.now) } }

    private func change(_ upstream: UpstreamURL, _ body: (inout CircuitBreaker) -> Void) {
        breakers.withLock { breakers in
            guard var breaker = breakers[upstream] else { return }
            body(&breaker)
            breakers[upstream] = breaker
        }
    }
}
