import Foundation
import Logging
import Policy
import Registry
import SessionCore
import WorkerControl

extension SessionSupervisor {
    /// How long a session runs at least before it is started anew for its memory once more.
    private static let recycleInterval: TimeInterval = 600
    /// How long nothing must have happened before it.
    private static let recycleRest: TimeInterval = 5

    /// Looks at the memory of a running session: at what the kernel killed, and at its high-water mark.
    func watchMemory(_ entry: SessionEntry, now: MonotonicTime) -> Task<Void, Never>? {
        let reader = CgroupReader(directories: entry.record.cgroups)
        if let kills = reader.oomKills(), kills > entry.oomKills { return Task { await self.tellOOM(entry, kills) } }
        let limits = policy(of: entry.record).sandbox.limits
        let mark = limits.effectiveMemoryHigh.bytes
        // On v2 the kernel holds the session just below its mark.
        guard let used = reader.workingSet(above: mark / 100 * 98) else {
            entry.isHigh = false
            return nil
        }
        if !entry.isHigh {
            entry.isHigh = true
            return Task { await self.tellHighWater(entry, used: used, limits) }
        }
        return shouldRecycle(entry, now: now) ? Task { await self.recycle(entry) } : nil
    }

    // MARK: Out of memory

    /// Something in the session ran out of memory.
    func tellOOM(_ entry: SessionEntry, _ kills: Int) async {
        guard kills > entry.oomKills else { return }
        let new = kills - entry.oomKills
        entry.oomKills = kills
        entry.oomToldAt = clock.monotonic()
        await tell(entry, .sessionOOM, await report(entry, kills: kills, latest: new))
    }

    /// What is known of the latest kills, for `session.oom`.
    func report(_ entry: SessionEntry, kills: Int, latest: Int) async -> [String: JSONValue] {
        let stats = CgroupReader(directories: entry.record.cgroups).stats()
        var data: [String: JSONValue] = ["kills": .integer(Int64(kills))]
        if let peak = stats.memoryPeakBytes { data["peak"] = .integer(Int64(clamping: peak)) }
        if let limit = stats.memoryLimitBytes { data["limit"] = .integer(Int64(clamping: limit)) }
        let killed = await killed(entry.id, latest: latest)
        if !killed.isEmpty {
            data["killed"] = .array(
                killed.map {
                    ["name": .string($0.name), "resident": .integer(Int64(clamping: $0.residentBytes))]
                })
        }
        return data
    }

    /// The processes by name; empty where this box does not say.
    private func killed(_ id: SessionID, latest: Int) async -> [MemoryKill] {
        let request = LauncherRequest.memoryKills(MemoryKillsRequest(sessionID: id, latest: latest))
        guard let reply = try? await launcher.send(request, within: configuration.statusLimit),
            case .memoryKills(let kills) = reply
        else { return [] }
        return kills
    }

    // MARK: The high-water mark

    private func tellHighWater(_ entry: SessionEntry, used: UInt64, _ limits: ResourceLimits) async {
        await tell(
            entry, .sessionLimits,
            [
                "high_water": [
                    "used": .integer(Int64(clamping: used)),
                    "mark": .integer(Int64(clamping: limits.effectiveMemoryHigh.bytes)),
                    "limit": .integer(Int64(clamping: limits.memory.bytes)),
                ]
            ])
    }

    /// Only between two turns, with nothing of the user's left in the background, and not again and again.
    private func shouldRecycle(_ entry: SessionEntry, now: MonotonicTime) -> Bool {
        guard entry.lock.isFree, let status = entry.status, !status.backgroundShell,
            let idleSince = rule(entry)?.idleSince,
            now.since(idleSince) >= Self.recycleRest
        else { return false }
        return now.since(entry.recycledAt) >= Self.recycleInterval
    }

    /// Ends the session's processes and starts them again: the conversation goes on, what was hoarded is given back.
    private func recycle(_ entry: SessionEntry) async {
        let incarnation = entry.record.incarnation
        do throws(SupervisorError) {
            try await exclusively(entry.id) { (supervisor, entry) async throws(SupervisorError) in
                guard entry.record.incarnation == incarnation, entry.record.lifecycle == .running,
                    await supervisor.refresh(entry, within: supervisor.configuration.replyLimit),
                    supervisor.isHighStill(entry)
                else { return }
                entry.recycledAt = supervisor.clock.monotonic()
                try await supervisor.endIncarnation(
                    entry, to: .parked, reason: .oom, detail: "recycled at its high-water mark", actor: Self.ownName)
                try await supervisor.startAgain(entry, actor: Self.ownName)
            }
        } catch {
            logger.error(
                "a session at its high-water mark is not started anew",
                metadata: ["session": "\(entry.id)", "error": "\(error.detail)"])
        }
    }

    /// Asked once more when the session is ours alone: somebody may have typed meanwhile.
    private func isHighStill(_ entry: SessionEntry) -> Bool {
        let mark = policy(of: entry.record).sandbox.limits.effectiveMemoryHigh.bytes
        guard let status = entry.status, !status.backgroundShell,
            let idleSince = rule(entry)?.idleSince
        else { return false }
        return clock.monotonic().since(idleSince) >= Self.recycleRest
            && CgroupReader(directories: entry.record.cgroups).workingSet(above: mark / 100 * 98) != nil
    }
}
