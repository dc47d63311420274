public import Foundation
public import Gateway
import Logging
public import Registry
import SessionCore

/// Writes the gateway's requests into the registry. What comes while a write is under way goes into the next one
/// together, so that many sessions share the disk's flushes.
public actor RegistryLedger: ModelRequestLedger {
    /// The request's session is not in the registry.
    struct UnknownSession: Error {}

    private let registry: SessionRegistry
    private let budgets: BudgetKeeper?
    private var waiting: [(request: LoggedRequest, done: CheckedContinuation<Void, any Error>)] = []
    private var isWriting = false

    /// - Parameter budgets: told of what was spent, before the answer has ended.
    public init(_ registry: SessionRegistry, budgets: BudgetKeeper? = nil) {
        self.registry = registry
        self.budgets = budgets
    }

    public func record(_ request: ModelRequestRecord) async throws {
        let logged = LoggedRequest(request)
        try await withCheckedThrowingContinuation { done in
            waiting.append((logged, done))
            guard !isWriting else { return }
            isWriting = true
            // Not the caller's task: that may be cancelled, and writes nothing then.
            Task { await drain() }
        }
    }

    public func keep(_ bodies: KeptBodies, of request: UUID) async throws {
        try await registry.keep(
            LoggedBodies(
                request: bodies.request.bytes, requestBytes: Int64(bodies.request.size), answer: bodies.answer.bytes,
                answerBytes: Int64(bodies.answer.size)), of: request, at: Date())
    }

    private func drain() async {
        while !waiting.isEmpty {
            let batch = waiting
            waiting = []
            do throws(RegistryError) {
                let unknown = try await registry.book(batch.map(\.request))
                let spenders = batch.map(\.request).filter { $0.tokens.cost > 0 && !unknown.contains($0.id) }
                if let budgets, !spenders.isEmpty { await budgets.booked(Set(spenders.map(\.sessionID))) }
                for entry in batch {
                    if unknown.contains(entry.request.id) {
                        entry.done.resume(throwing: UnknownSession())
                    } else {
                        entry.done.resume()
                    }
                }
            } catch {
                for entry in batch { entry.done.resume(throwing: error) }
            }
        }
        isWriting = false
    }
}

extension LoggedRequest {
    init(_ record: ModelRequestRecord) {
        let usage = record.usage
        self.init(
            id: record.id, sessionID: SessionID(record.session), method: record.method, path: record.path,
            outcome: record.outcome.rawValue, model: record.model, status: record.status,
            requestID: record.requestID,
            tokens: TokenCounts(
                input: usage.input, output: usage.output, cacheRead: usage.cacheRead, cacheWrite: usage.cacheWrite,
                cost: record.cost),
            startedAt: record.startedAt, firstByteAt: record.firstByteAt, endedAt: record.endedAt)
    }
}
