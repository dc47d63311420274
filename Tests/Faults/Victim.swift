import EndToEndSupport
import Foundation
import Glibc
import Testing

/// A process of an installation that a test kills or stops.
enum Victim: String, CaseIterable, CustomTestStringConvertible {
    case supervisor, launcher, guardian, worker, sandboxInit, claude

    var testDescription: String { rawValue }

    /// The pid now; nil when there is none.
    func pid(in rookery: Rookery, session: String) -> Int32? {
        switch self {
        case .supervisor: rookery.supervisor.flatMap { $0.process.isRunning ? $0.pid : nil }
        case .launcher: rookery.processes().first { Self.serves($0) }?.pid
        case .guardian: rookery.processes().first { Self.runs("rookery-launcher", $0) && !Self.serves($0) }?.pid
        case .worker: rookery.processes(of: session).first { Self.runs("rookery-worker", $0) }?.pid
        case .sandboxInit:
            rookery.processes(of: session).compactMap { Self.parent(of: $0.pid) }.first(where: Self.isInit)
        case .claude:
            rookery.processes(of: session).first {
                $0.command.contains("--session-id") || $0.command.contains("--resume")
            }?.pid
        }
    }

    /// The process has ended. The supervisor is the test's own child, and gone when that knows it too.
    func isGone(_ pid: Int32) -> Bool {
        let status = Self.status(pid)
        return status.isEmpty || self != .supervisor && status.contains("State:\tZ")
    }

    /// Two processes are the launcher: the one that serves, and the guardian that starts it again.
    private static func serves(_ process: (pid: Int32, command: String)) -> Bool {
        runs("rookery-launcher", process) && process.command.split(separator: "\0").contains("--guarded")
    }

    private static func runs(_ program: String, _ process: (pid: Int32, command: String)) -> Bool {
        process.command.split(separator: "\0").first?.hasSuffix(program) == true
    }

    private static func status(_ pid: Int32) -> String {
        (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
    }

    private static func parent(of pid: Int32) -> Int32? {
        status(pid).split(separator: "\n").first { $0.hasPrefix("PPid:") }
            .flatMap { Int32($0.dropFirst(5).trimmingCharacters(in: .whitespaces)) }
    }

    private static func isInit(_ pid: Int32) -> Bool { status(pid).hasPrefix("Name:\trookery-init\n") }
}
