import ClaudeCode
import Foundation
import Images
import Logging
import Policy
import Registry
import SessionCore
import WorkerControl

/// Makes spares and drops them, as ``SparePool`` decides.
extension SessionSupervisor {
    /// Compares what is with what should be, one step after the other.
    func tendSpares() async {
        guard phase == .running, !isTendingSpares, !(pool.uses.isEmpty && pool.spares.isEmpty) else { return }
        isTendingSpares = true
        defer { isTendingSpares = false }
        while phase == .running, launcher.outage == nil {
            let plan = pool.plan(await spareFacts())
            for dropping in plan.drops { await drop(dropping.id, dropping.why) }
            guard let key = plan.make else { return }
            let making = Task { await self.makeSpare(key) }
            spareInMaking = making
            await making.value
            spareInMaking = nil
        }
    }

    /// Not at once: the session that has just begun has the processor for its first answer.
    func tendSparesSoon() {
        Task { [weak self, clock, delay = configuration.spareDelay] in
            try? await clock.sleep(delay)
            await self?.tendSpares()
        }
    }

    private func spareFacts() async -> SparePool.Facts {
        var facts = SparePool.Facts(now: clock.monotonic(), rules: [:], memory: configuration.hostMemory())
        for key in Set(pool.uses.keys).union(pool.spares.values.map(\.key)) {
            guard let policy = configuration.policies.policy(named: key.policy) else { continue }
            facts.rules[key] = SparePool.Facts.Rules(
                spares: policy.spares, fits: admission.room(for: policy.sandbox.limits.memory) > 1)
        }
        for spare in pool.spares.values {
            let ground: SpareGround?
            do { ground = try await self.ground(for: spare.key, id: spare.id, uidSlot: spare.uidSlot) } catch {
                // Where a session could not be started either, a spare is of no use.
                ground = nil
            }
            if ground != spare.ground { facts.changed.insert(spare.id) }
        }
        return facts
    }

    // MARK: What a spare is made of

    /// What the plainest structured session of a tenant would be started with.
    private func ground(
        for key: SparePool.Key, id: SessionID, uidSlot: Int
    ) async throws(SupervisorError) -> SpareGround {
        let principal = Principal(
            tenantID: key.tenantID, userID: 0, name: Self.ownName, role: .user, tokenID: nil)
        let record = try newRecord(
            SessionCreation(id: id, kind: .structured, policy: key.policy), by: principal)
        return try await ground(of: record, uidSlot: uidSlot)
    }

    /// What a session would be started with that is made now, under that uid slot.
    func ground(of draft: SessionRecord, uidSlot: Int) async throws(SupervisorError) -> SpareGround {
        var record = draft
        record.uidSlot = uidSlot
        let remembered = try await stored { () async throws(RegistryError) in
            try await registry.rules(ofTenant: record.tenantID)
        }
        return SpareGround(
            request: try launchRequest(record, firstSequence: Self.firstSequence, allowing: remembered),
            programs: [configuration.claudeBinary, configuration.startCommand, process.workerProgram]
                .map { $0.flatMap(FileIdentity.init) },
            image: try? configuration.images?.manifest(named: record.image).digest)
    }

    /// Of a new session's first event that is its worker's: two are the registry's.
    private static let firstSequence: UInt64 = 3

    // MARK: Making one

    private func makeSpare(_ key: SparePool.Key) async {
        let id = SessionID()
        guard let policy = configuration.policies.policy(named: key.policy),
            admission.reserve(id, memory: policy.sandbox.limits.memory) == nil
        else { return }
        sparesInFlux.insert(id)
        defer { sparesInFlux.remove(id) }
        let begin = clock.monotonic()
        do throws(SupervisorError) {
            let spare = try await startSpare(id, key)
            pool.add(spare)
            attend(spare)
            logger.info(
                "spare made",
                metadata: [
                    "session": "\(id)", "policy": "\(key.policy)", "tenant": "\(key.tenantID)",
                    "seconds": "\(clock.monotonic().since(begin))",
                ])
        } catch {
            pool.failed(key, error.detail, at: clock.monotonic())
            logger.warning(
                "no spare can be made: sessions start cold",
                metadata: [
                    "policy": "\(key.policy)", "tenant": "\(key.tenantID)", "why": "\(error.detail)",
                    "again_in": "\(pool.faults[key]?.until.since(clock.monotonic()) ?? 0)",
                ])
            await discard(id)
            admission.release(id)
        }
    }

    private func startSpare(_ id: SessionID, _ key: SparePool.Key) async throws(SupervisorError) -> Spare {
        let slot = try await stored { () async throws(RegistryError) in
            try await registry.holdSpare(id, tenantID: key.tenantID, at: clock.now())
        }
        let ground = try await ground(for: key, id: id, uidSlot: slot)
        var request = ground.request
        request.isSpare = true
        request.arguments = (request.arguments ?? []) + [SpareCLI.argument]
        let reply: LauncherReply
        do throws(LauncherError) {
            reply = try await launcher.send(.launch(request), within: configuration.launchLimit)
        } catch { throw SupervisorError(error) }
        switch reply {
        case .launched(let launched):
            var spare = Spare(
                id: id, key: key, uidSlot: slot, ground: ground, launched: launched, madeAt: clock.monotonic())
            do {
                spare.connection = try await connect(id, incarnation: request.incarnation)
                try await checkReady(spare)
                spare.madeAt = clock.monotonic()
                return spare
            } catch {
                await spare.connection?.close()
                throw error as? SupervisorError
                    ?? SupervisorError(.launchFailed, "the spare's worker was started and does not answer: \(error)")
            }
        case .failed(let failure): throw SupervisorError(failure)
        default: throw SupervisorError(.launchFailed, "the launcher answered a launch with something else")
        }
    }

    /// Waits until Claude Code has started, and takes no version that was not tried.
    private func checkReady(_ spare: Spare) async throws {
        let reply = try await spare.connection?.send(.spareReady, within: configuration.spareLimit)
        switch reply {
        case .message(let data):
            let version = data["version"]?.string ?? "unknown"
            guard configuration.spareVersions.contains(version) else {
                let known = configuration.spareVersions.sorted().joined(separator: ", ")
                throw SupervisorError(
                    .launchFailed,
                    "Claude Code here is \(VisibleText.of(String(version.prefix(64)))), and waiting for a session was "
                        + "tried with \(known) only")
            }
        case .refused(let code, let detail):
            throw SupervisorError(.launchFailed, "Claude Code does not wait for a session here: \(code): \(detail)")
        default: throw SupervisorError(.launchFailed, "the spare's worker answered with something else")
        }
    }

    /// Holds its connection, and sees its end.
    private func attend(_ spare: Spare) {
        guard let connection = spare.connection else { return }
        let id = spare.id
        Task {
            for await _ in connection.notices {}
            await drop(id, .lost)
        }
    }

    // MARK: Dropping one

    func drop(_ id: SessionID, _ why: SparePool.Drop) async {
        if let spare = pool.take(id) { await drop(taken: spare, why) }
    }

    /// One that is not in the pool any more, and that no session has.
    func drop(taken spare: Spare, _ why: SparePool.Drop) async {
        sparesInFlux.insert(spare.id)
        defer { sparesInFlux.remove(spare.id) }
        pool.noteDrop(why)
        logger.info(
            "spare dropped",
            metadata: ["session": "\(spare.id)", "policy": "\(spare.key.policy)", "why": "\(why.rawValue)"])
        await spare.connection?.close()
        await discard(spare.id)
        admission.release(spare.id)
    }

    /// Ends and removes all that there is of a spare. What does not go now, ``removeLostSpares()`` tries again.
    private func discard(_ id: SessionID) async {
        do {
            try await clear(id)
            try await registry.forgetSpare(id)
        } catch {
            logger.error(
                "what is left of a spare is not removed yet", metadata: ["session": "\(id)", "error": "\(error)"])
        }
    }

    /// Spares of a supervisor before this one, and those that could not be removed. A registry that had to be made anew is
    /// not believed.
    func removeLostSpares() async {
        guard recovery == nil, launcher.outage == nil else { return }
        do throws(SupervisorError) {
            let known = try await stored { () async throws(RegistryError) in try await registry.spares() }
            for id in known where pool.spares[id] == nil && !sparesInFlux.contains(id) {
                sparesInFlux.insert(id)
                await discard(id)
                sparesInFlux.remove(id)
                logger.info("a spare that was left is removed", metadata: ["session": "\(id)"])
            }
        } catch {
            logger.error("spares that were left are not looked for", metadata: ["error": "\(error.detail)"])
        }
    }

    /// The supervisor ends in order: nothing is left for the next.
    func dropAllSpares() async {
        await spareInMaking?.value
        await withTaskGroup(of: Void.self) { group in
            for id in pool.spares.keys { group.addTask { await self.drop(id, .shutdown) } }
        }
    }

    // MARK: Places

    /// A place for a session. Spares give way, one after the other.
    func takePlace(_ id: SessionID, memory: ByteSize) async -> Admission.Refusal? {
        while let refusal = admission.reserve(id, memory: memory) {
            if case .neverFits = refusal { return refusal }
            if let spare = pool.yielding {
                await drop(spare, .yielded)
            } else if let making = spareInMaking {
                await making.value
                // Waited for once: whoever made it may not have come to note its end.
                if spareInMaking == making { spareInMaking = nil }
            } else {
                return refusal
            }
        }
        return nil
    }

    // MARK: For operators

    public func spareReport() async -> SpareReport {
        let now = clock.monotonic()
        let tenants = (try? await registry.tenants()) ?? []
        let names = Dictionary(tenants.map { ($0.id, $0.name) }) { first, _ in first }
        let keys = Set(pool.uses.keys).union(pool.spares.values.map(\.key)).sorted()
        let pools = keys.map { key in
            let rules = configuration.policies.policy(named: key.policy)?.spares ?? SpareRules()
            let isUsed = pool.uses[key].map { now.since($0) <= rules.linger.seconds } ?? false
            let ready = pool.spares(of: key)
            let fault = pool.faults[key]
            return SpareReport.Pool(
                tenant: names[key.tenantID] ?? "\(key.tenantID)", policy: key.policy,
                wanted: isUsed ? rules.count : 0, ready: ready.count,
                oldestSeconds: ready.first.map { now.since($0.madeAt) }, fault: fault?.detail,
                retrySeconds: fault.map { max(0, $0.until.since(now)) })
        }
        let counts = pool.counts
        return SpareReport(
            pools: pools, made: counts.made, claimed: counts.claimed, missed: counts.missed,
            dropped: Dictionary(counts.dropped.map { ($0.key.rawValue, $0.value) }) { first, _ in first })
    }
}
