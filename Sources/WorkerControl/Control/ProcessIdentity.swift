import Foundation

/// A process by pid and start time: together they name one process for ever, while a pid alone is used again.
public struct ProcessIdentity: Codable, Sendable, Hashable {
    public var pid: Int32
    /// Clock ticks after boot (proc_pid_stat(5), field 22).
    public var startTime: UInt64

    public init(pid: Int32, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    /// The process that has this pid now; nil when there is none.
    public init?(pid: Int32) {
        guard let found = Self.state(of: pid) else { return nil }
        self.init(pid: pid, startTime: found.startTime)
    }

    /// True while that very process is there, be it as a zombie.
    public var exists: Bool { Self.state(of: pid)?.startTime == startTime }

    /// True while that very process runs; a zombie does not.
    public var isAlive: Bool {
        Self.state(of: pid).map { $0.startTime == startTime && $0.state != "Z" && $0.state != "X" } ?? false
    }

    private static func state(of pid: Int32) -> (state: Substring, startTime: UInt64)? {
        (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)).flatMap(parse)
    }

    /// State and start time; counted after the command's name, which may hold anything.
    static func parse(_ stat: String) -> (state: Substring, startTime: UInt64)? {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 19, let startTime = UInt64(fields[19]) else { return nil }
        return (fields[0], startTime)
    }
}
