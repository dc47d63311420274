import Foundation
import Glibc
import Logging
public import Registry
import SessionCore
import WorkerControl

extension SessionSupervisor {
    /// A session is quiet after so many seconds without a key and without a turn…
    private static let quiet: TimeInterval = 30
    /// …and after so many where keys came since the last turn: what was typed and not sent is lost with the screen.
    private static let quietWithDraft: TimeInterval = 900

    /// Has a newer supervisor take this one's place, and says how workers of an older build make way. Returns when the
    /// newer one is ready to take over; this process leaves then.
    /// - Parameter replacesSupervisor: false leaves the supervisor as it is.
    public func upgrade(
        workers renewal: WorkerRenewal, replacesSupervisor: Bool, by principal: Principal
    ) async throws(SupervisorError) {
        guard phase == .running else { throw SupervisorError(.unavailable, "the supervisor is not running") }
        guard !replacesSupervisor || process.successor != nil else {
            throw SupervisorError(
                .wrongState,
                "nothing stands behind this supervisor that could put another in its place: it was started without "
                    + "--steward. Restart it the way it was started, and then use --workers-only; sessions go on")
        }
        logger.notice(
            "upgrade",
            metadata: ["by": "\(principal.name)", "workers": "\(renewal.rawValue)", "self": "\(replacesSupervisor)"])
        let before = renewals.value
        // The intent first: the next supervisor has to know.
        do { try renewals.set(renewal) } catch {
            throw SupervisorError(.unavailable, "the state directory cannot be written: \(error.localizedDescription)")
        }
        guard replacesSupervisor, let successor = process.successor else {
            Task { await self.renewWorkers() }
            return
        }
        do throws(SupervisorError) { try await successor.take() } catch {
            // Nothing was upgraded, so nothing is older than it was.
            try? renewals.set(before ?? .never)
            throw error
        }
    }

    /// What this process is, how the last upgrade went, and what becomes of each session's worker.
    public func upgradeReport() -> UpgradeReport {
        let renewal = renewals.value ?? .never
        let installed = process.workerProgram.flatMap { ProgramIdentity(path: $0) }
        let running = entries.values.filter { $0.record.lifecycle.hasIncarnation || $0.isRenewing }
        let sessions = running.map { entry -> UpgradeReport.Session in
            let (state, detail) = renewalState(entry, installed, renewal)
            return UpgradeReport.Session(id: entry.id, name: entry.record.name, state: state, detail: detail)
        }
        return UpgradeReport(
            instance: instance, version: process.version, pid: getpid(),
            startedAt: adoption?.startedAt ?? clock.now(), replaceable: process.successor != nil, last: process.last,
            workers: renewal, sessions: sessions.sorted { $0.id.description < $1.id.description })
    }

    private func renewalState(
        _ entry: SessionEntry, _ installed: ProgramIdentity?, _ renewal: WorkerRenewal
    ) -> (UpgradeReport.Session.State, String?) {
        if entry.isRenewing { return (.renewing, nil) }
        guard isOlder(entry, installed) else { return (.current, nil) }
        guard renewal != .never else { return (.older, nil) }
        return (.waiting, hindrance(entry, renewal) ?? entry.renewalFault ?? "its turn comes in a moment")
    }

    /// Its worker is of another build than the one that is installed.
    private func isOlder(_ entry: SessionEntry, _ installed: ProgramIdentity?) -> Bool {
        guard let installed, entry.record.lifecycle == .running, entry.worker != nil else { return false }
        return entry.program != installed
    }

    /// An operator wants its worker to make way.
    func isDraining(_ entry: SessionEntry) -> Bool {
        guard let renewal = renewals.value, renewal != .never else { return false }
        return entry.isRenewing || isOlder(entry, process.workerProgram.flatMap { ProgramIdentity(path: $0) })
    }

    /// Why a session's worker cannot make way now; nil: it can.
    private func hindrance(_ entry: SessionEntry, _ renewal: WorkerRenewal) -> String? {
        guard !entry.unresponsive, let status = entry.status, let times = entry.times else {
            return "its worker does not answer"
        }
        switch status.activity {
        case .working: return "it is in the middle of a turn"
        case .pending: return "it waits for a person's decision"
        case .idle: break
        }
        if status.backgroundShell { return "a command of it runs in the background" }
        if renewal == .now { return nil }
        let typed = times.lastInput ?? .distantPast
        let isDraft = typed > times.activitySince
        let rest = clock.monotonic().since(max(typed, times.activitySince))
        guard rest < (isDraft ? Self.quietWithDraft : Self.quiet) else { return nil }
        return isDraft ? "somebody typed and has not sent it" : "it was in use a moment ago"
    }

    /// Starts sessions again whose workers are older than they should be: one after the other, and only such as may.
    func renewWorkers() async {
        guard phase == .running, !isRenewing, let renewal = renewals.value, renewal != .never,
            let installed = process.workerProgram.flatMap({ ProgramIdentity(path: $0) })
        else { return }
        isRenewing = true
        defer { isRenewing = false }
        for entry in entries.values
        where isOlder(entry, installed) && entry.lock.isFree && hindrance(entry, renewal) == nil {
            guard phase == .running, launcher.outage == nil else { return }
            await renew(entry, renewal)
        }
        // None is left, and those that are being started get the installed one. Meanwhile the wish may have been changed.
        if renewals.value == renewal, !entries.values.contains(where: { isOlder($0, installed) }) { renewals.clear() }
    }

    private func renew(_ entry: SessionEntry, _ renewal: WorkerRenewal) async {
        let incarnation = entry.record.incarnation
        do throws(SupervisorError) {
            try await exclusively(entry.id) { (supervisor, entry) async throws(SupervisorError) in
                // Asked once more when the session is ours alone: somebody may have typed meanwhile.
                guard entry.record.incarnation == incarnation, entry.record.lifecycle == .running,
                    entry.record.desired == .running,
                    await supervisor.refresh(entry, within: supervisor.configuration.replyLimit),
                    supervisor.hindrance(entry, renewal) == nil
                else { return }
                entry.isRenewing = true
                defer { entry.isRenewing = false }
                let detail = "its worker made way for a newer one"
                try await supervisor.endIncarnation(
                    entry, to: .parked, reason: .requested, detail: detail, actor: Self.ownName, returns: true)
                try await supervisor.startAgain(entry, actor: Self.ownName, because: .requested, detail: detail)
                entry.renewalFault = nil
            }
        } catch {
            entry.renewalFault = error.detail
            logger.error(
                "a session does not start under the newer worker",
                metadata: ["session": "\(entry.id)", "error": "\(error.detail)"])
        }
    }
}
