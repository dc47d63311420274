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
        guard launcher.outage == nil else { return }
        await sweep()
        await finishDeletions()
        await removeUnowned()
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

    /// Directories and uid ranges of sessions that are deleted. A directory that the registry knows nothing of is named
    /// and left alone: it may be all that is left of somebody's work after the registry was lost.
    private func removeUnowned() async {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(configuration.stateDirectory)/sessions"))
        let there = Set((names ?? []).compactMap { SessionID(parsing: $0) })
        do throws(SupervisorError) {
            let (deleted, unknown) = try await stored { () async throws(RegistryError) in
                try await registry.unowned(among: there)
            }
            for id in deleted where entries[id] == nil {
                _ = try? await launcher.send(
                    .remove(RemoveRequest(sessionID: id, keepWorkspace: false)), within: configuration.cleanLimit)
            }
            let names = unknown.filter { entries[$0] == nil }.map(\.description).sorted()
            if names != adoption?.unowned ?? [] {
                adoption?.unowned = names
                if !names.isEmpty {
                    logger.warning(
                        "directories of sessions that the registry does not know are left alone",
                        metadata: ["count": "\(names.count)", "first": "\(names[0])"])
                }
            }
            let freed = try await stored { () async throws(RegistryError) in
                try await registry.releaseUnownedSlots(except: there)
            }
            if freed > 0 { logger.info("uid ranges freed", metadata: ["count": "\(freed)"]) }
        } catch {
            logger.error("what no session owns is not looked for", metadata: ["error": "\(error.detail)"])
        }
    }
}
