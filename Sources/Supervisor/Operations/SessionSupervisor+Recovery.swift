public import Foundation
import Logging
import NIOCore
import Registry
import SessionCore
import WorkerControl

extension SessionSupervisor {
    /// After the registry had to be made anew or brought up to date: asks the workers that live what neither it nor a
    /// manifest knows. A session that only its worker knows becomes the operator's.
    func askWorkersAfterRecovery() async throws(SupervisorError) {
        guard var report = recovery else { return }
        // A spare is nobody's session.
        for hello in await liveWorkers() where hello.status.isSpare != true {
            let live = LiveIncarnation(
                sessionID: hello.sessionID, incarnation: hello.incarnation, pid: hello.pid, startTime: hello.startTime,
                lastSequence: hello.status.lastSequence, size: hello.status.size)
            if manifests.isBuried(hello.sessionID) { continue }
            let sighting = try await stored { () async throws(RegistryError) in
                try await registry.learn(of: live, at: clock.now())
            }
            switch sighting {
            case .known: break
            case .advanced: report.advanced.append(hello.sessionID)
            case .stranger: report.strangers.append(hello.sessionID)
            }
        }
        if !report.strangers.isEmpty {
            report.lost.append(
                "owner, tenant, policy, name and labels of the sessions that only their workers knew; they are the "
                    + "operator's now")
        }
        recovery = report
        registry.finishRecovery()
        logger.warning("registry recovered", metadata: ["report": "\(report.summary)"])
    }

    /// Every worker whose control socket answers, whatever the registry says of it.
    private func liveWorkers() async -> [WorkerHello] {
        let directory = "\(configuration.runtimeDirectory)/w"
        let ids = ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [])
            .compactMap { SessionID(parsing: $0) }
        let (group, uid) = (group, configuration.workerUID)
        return await withTaskGroup(of: WorkerHello?.self) { tasks in
            for id in ids {
                tasks.addTask {
                    guard
                        let connection = try? await WorkerConnection.connect(
                            to: "\(directory)/\(id)/\(WorkerSockets.control)", on: group, expectedUID: uid)
                    else { return nil }
                    await connection.close()
                    let hello = connection.hello
                    let process = ProcessIdentity(pid: hello.pid, startTime: hello.startTime)
                    return hello.sessionID == id && process.isAlive ? hello : nil
                }
            }
            return await tasks.reduce(into: []) { found, hello in if let hello { found.append(hello) } }
        }
    }

    /// Writes the manifests that are not there or older than the registry: of a supervisor that was killed between the
    /// two, of an earlier version, or damaged ones.
    func refreshManifests() async {
        guard let records = try? await registry.allSessions() else { return }
        for record in await manifests.behind(records) { writeManifest(record) }
    }

    /// What keeps the registry replaceable: a backup when one is due, manifests that could not be written before, and
    /// no tombstones that nothing can contradict any more. To be called every now and then.
    public func tendRegistry(backupEvery interval: TimeInterval) async {
        await manifests.retry()
        do throws(RegistryError) {
            guard let backup = try await registry.backUpIfDue(every: interval, at: clock.now()) else { return }
            registryFault = nil
            logger.debug("registry backed up", metadata: ["to": "\(backup.path)"])
            // A backup that is older than a tombstone has the session still.
            let oldest = registry.backups.all().last?.time ?? clock.now()
            manifests.prune(before: min(oldest, clock.now().addingTimeInterval(-30 * 86_400)))
            try await registry.forgetRequests(before: clock.now().addingTimeInterval(-30 * 86_400), keeping: 10_000)
        } catch {
            if case .corrupt = error { registryFault = "\(error)" }
            logger.error(
                "the registry is not backed up",
                metadata: ["error": "\(error)", "remedy": "see 'rookery registry check'"])
        }
    }
}
