import Foundation
import Glibc

/// A process by pid and start time: together they name one process for ever, while a pid alone is used again.
struct WorkerIdentity: Sendable, Hashable {
    var pid: Int32
    /// Clock ticks after boot (`/proc/<pid>/stat` field 22).
    var startTime: UInt64

    /// True while that very process runs; a zombie does not.
    var isAlive: Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
        return Self.parse(stat).map { $0.startTime == startTime && $0.state != "Z" && $0.state != "X" } ?? false
    }

    /// State and start time; counted after the command's name, which may hold anything.
    static func parse(_ stat: String) -> (state: Substring, startTime: UInt64)? {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 19, let startTime = UInt64(fields[19]) else { return nil }
        return (fields[0], startTime)
    }
}
