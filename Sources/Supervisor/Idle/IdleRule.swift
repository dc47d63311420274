import Foundation
import Policy
import SessionCore
import WorkerControl

/// When a session is parked for doing nothing: a pure function of what is known about it.
///
/// A session that works, or waits for a person's decision, is never idle. Attached clients, reads, pings and a
/// shell left in the background are shown, and hold nothing up.
///
/// Everything is reckoned in ``MonotonicTime``: a clock that is set, or a machine that slept, ages nobody.
struct IdleRule {
    var timeout: TimeSpan?
    /// How long before the parking the session is warned; at most half of the timeout.
    var warning: TimeSpan
    var maxLifetime: TimeSpan?
    /// How long before it is frozen; nil: never.
    var freezeAfter: TimeSpan?
    var pinned: Bool
    var times: WorkerTimes
    var status: WorkerStatus

    /// What is about to happen to the session, and why.
    struct Deadline: Equatable {
        var at: MonotonicTime
        var warnsAt: MonotonicTime
        var reason: Reason
    }

    /// Since when nothing has happened; nil while something does.
    var idleSince: MonotonicTime? {
        guard status.activity == .idle else { return nil }
        return max(times.activitySince, times.lastInput ?? .distantPast, times.started)
    }

    /// When everything in the sandbox is stopped until the next input; nil: never, or not while something goes on.
    var freezesAt: MonotonicTime? {
        guard !pinned, !status.backgroundShell, let freezeAfter, let idleSince else { return nil }
        return idleSince + freezeAfter.seconds
    }

    /// The earlier of being idle too long and living too long; nil when neither will come.
    var deadline: Deadline? {
        let candidates = [idleDeadline, lifetimeDeadline].compactMap { $0 }
        return candidates.min { $0.at < $1.at }
    }

    private var idleDeadline: Deadline? {
        guard !pinned, let timeout, let idleSince else { return nil }
        return deadline(from: idleSince, after: timeout, reason: .idle)
    }

    private var lifetimeDeadline: Deadline? {
        maxLifetime.map { deadline(from: times.started, after: $0, reason: .maxLifetime) }
    }

    private func deadline(from start: MonotonicTime, after span: TimeSpan, reason: Reason) -> Deadline {
        let at = start + span.seconds
        return Deadline(at: at, warnsAt: at + -min(warning.seconds, span.seconds / 2), reason: reason)
    }

    /// Everything that was looked at, for `GET …/idle`. `date` is what a clock on the wall shows now.
    func report(now: MonotonicTime, date: Date) -> IdleReport {
        func age(_ time: MonotonicTime?) -> Double? { time.map { max(0, now.since($0)) } }
        func age(_ time: Date?) -> Double? { time.map { max(0, date.timeIntervalSince($0)) } }
        func shown(_ time: MonotonicTime) -> Date { date.addingTimeInterval(time.since(now)) }
        typealias Signal = IdleReport.Signal
        var signals = [
            Signal(
                name: "activity", value: status.activity.rawValue, ageSeconds: age(times.activitySince),
                source: status.activitySource, keepsAwake: status.activity != .idle),
            Signal(
                name: "last_input", value: status.lastInput?.formatted(.rookery) ?? "never",
                ageSeconds: age(times.lastInput), source: "worker", keepsAwake: false),
            Signal(
                name: "last_output", value: status.lastOutput?.formatted(.rookery) ?? "never",
                ageSeconds: age(times.lastOutput), source: "worker", keepsAwake: false),
            Signal(
                name: "started", value: shown(times.started).formatted(.rookery), ageSeconds: age(times.started),
                source: "worker", keepsAwake: false),
            Signal(
                name: "background_shell", value: "\(status.backgroundShell)", ageSeconds: nil,
                source: status.activitySource, keepsAwake: false),
            Signal(
                name: "attached_clients", value: "\(status.clients.count)",
                ageSeconds: age(status.clients.map(\.since).min()), source: "worker", keepsAwake: false),
            Signal(name: "pinned", value: "\(pinned)", ageSeconds: nil, source: "registry", keepsAwake: pinned),
        ]
        if freezeAfter != nil || status.frozenSince != nil {
            signals.append(
                Signal(
                    name: "frozen", value: "\(status.frozenSince != nil)", ageSeconds: age(status.frozenSince),
                    source: "worker", keepsAwake: false))
        }
        if let maxLifetime {
            signals.append(
                Signal(
                    name: "max_lifetime", value: "\(maxLifetime)", ageSeconds: age(times.started), source: "policy",
                    keepsAwake: false))
        }
        let parksAt = deadline.map { shown($0.at) }
        return IdleReport(
            idleTimeout: timeout ?? TimeSpan(milliseconds: 0), signals: signals, rule: ruleInWords,
            warnsAt: deadline.flatMap { deadline in
                parksAt?.addingTimeInterval(deadline.warnsAt.since(deadline.at))
            }, parksAt: parksAt)
    }

    private var ruleInWords: String {
        let idle =
            switch (pinned, timeout) {
            case (true, _): "Pinned: never parked for being idle."
            case (false, nil): "Its policy has no idle timeout: never parked for being idle."
            case (false, let timeout?):
                "Parked \(timeout) after it last became idle, took input or was started, whichever is latest; never "
                    + "while it works or waits for a decision. Attached clients, reads and background shells do not "
                    + "count."
            }
        return maxLifetime.map { "\(idle) Parked in any case \($0) after its start." } ?? idle
    }
}
