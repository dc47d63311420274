import Foundation
import Logging
import Registry
import SessionCore
import WorkerControl

extension SessionSupervisor {
    /// Compares what is with what should be, every so often and when there is a reason to. It looks at the state of things
    /// alone, never at what happened: whatever was missed is found the next time.
    func startReconciling() {
        reconciler = Task {
            while !Task.isCancelled {
                await self.reconcile()
                do { try await clock.sleep(configuration.reconcileInterval) } catch { return }
            }
        }
    }

    func reconcile() async {
        guard phase == .running, !isReconciling else { return }
        isReconciling = true
        defer { isReconciling = false }
        lookAtWorkers()
        await startWhatShouldRun()
        await renewWorkers()
        guard launcher.outage == nil else { return }
        await sweep()
        await finishDeletions()
        await removeLostSpares()
        await removeUnowned()
        // One takes its time to start, which holds up nothing else.
        Task { await self.tendSpares() }
    }

    /// A worker that could not be watched, or whose end was missed.
    private func lookAtWorkers() {
        for entry in entries.values where entry.record.lifecycle == .running && entry.end == nil {
            guard let worker = entry.worker, !worker.isAlive else { continue }
            workerExited(entry.id, incarnation: entry.record.incarnation)
        }
    }

    /// Sessions that should run, do not, and nobody is about to start.
    private func startWhatShouldRun() async {
        for entry in entries.values
        where entry.record.lifecycle == .parked && entry.record.desired == .running && entry.lock.isFree
            && restarts[entry.id] == nil && !restarting.contains(entry.id)
        {
            await startAgainLater(
                entry, reason: entry.record.reason ?? .crashed, detail: entry.record.detail ?? "it should run")
        }
        startDue()
    }

    /// Has the launcher end and remove what no living session owns: processes, cgroups, sockets, runtime directories.
    private func sweep() async {
        let live = admission.reserved.keys.sorted { $0.description < $1.description }
        do {
            let reply = try await launcher.send(
                .sweep(SweepRequest(live: live)), within: configuration.launchLimit)
            switch reply {
            case .swept(let ids) where !ids.isEmpty:
                logger.notice(
                    "swept what no session owns",
                    metadata: ["sessions": "\(ids.prefix(20).map(\.description).joined(separator: " "))"])
                for id in ids { entries[id]?.isDirty = false }
            case .failed(let failure): throw SupervisorError(failure)
            default: break
            }
        } catch {
            logger.error("leftovers are not swept", metadata: ["error": "\(error)"])
        }
    }

    private func finishDeletions() async {
        do throws(SupervisorError) {
            let records = try await stored { () async throws(RegistryError) in try await registry.sessionsToDelete() }
            for record in records where entries[record.id]?.lock.isFree != false {
                try await exclusively(record.id) { (supervisor, entry) async throws(SupervisorError) in
                    guard entry.record.lifecycle != .deleted else { return }
                    try await supervisor.delete(entry, keepWorkspace: record.keepsWorkspace, actor: Self.ownName)
                }
            }
        } catch  where error.code == .notFound {
            // Whoever deleted it was faster.
        } catch {
            logger.error("a deletion is not finished", metadata: ["error": "\(error.detail)"])
        }
    }

    /// Data and uid ranges that no session owns. Data goes by somebody's word alone: that of whoever deleted the session,
    /// as it stands in the registry. What the registry knows nothing of is named and left alone: it may be all that is left
    /// of somebody's work after the registry was lost. While this supervisor's registry is one that had to be made anew,
    /// its word is not taken for that either, and no uid range is given to somebody else.
    private func removeUnowned() async {
        do throws(SupervisorError) {
            let there = try await inventory()
            let (deleted, unknown) = try await stored { () async throws(RegistryError) in
                try await registry.unowned(among: there)
            }
            name(unowned: unknown)
            guard recovery == nil else { return }
            for id in deleted where entries[id] == nil { try? await remove(id) }
            let freed = try await stored { () async throws(RegistryError) in
                try await registry.releaseUnownedSlots(except: there)
            }
            if freed > 0 { logger.info("uid ranges freed", metadata: ["count": "\(freed)"]) }
        } catch {
            logger.error("what no session owns is not looked for", metadata: ["error": "\(error.detail)"])
        }
    }

    private func name(unowned ids: [SessionID]) {
        let names = ids.filter { entries[$0] == nil }.map(\.description).sorted()
        guard names != adoption?.unowned ?? [] else { return }
        adoption?.unowned = names
        guard let first = names.first else { return }
        logger.warning(
            "data of sessions that the registry does not know is left alone",
            metadata: ["count": "\(names.count)", "first": "\(first)"])
    }

    /// Every session of which there is data: files, plain or in an image, or a journal.
    private func inventory() async throws(SupervisorError) -> Set<SessionID> {
        var found: Set<SessionID> = []
        var last: SessionID?
        while true {
            let reply: LauncherReply
            do throws(LauncherError) {
                reply = try await launcher.send(
                    .inventory(InventoryRequest(after: last)), within: configuration.cleanLimit)
            } catch { throw SupervisorError(error) }
            switch reply {
            case .inventory(let page):
                guard let end = page.last else { return found }
                found.formUnion(page)
                last = end
            case .failed(let failure): throw SupervisorError(failure)
            default: throw SupervisorError(.unavailable, "the launcher answered an inventory with something else")
            }
        }
    }
}
