import Foundation
import Policy
import SessionCore
import Supervisor
import WorkerControl

/// `GET …/idle`.
struct IdleDocument: Encodable, Sendable {
    struct Signal: Encodable, Sendable {
        var name: String
        var value: String
        var ageSeconds: Double?
        var source: String
        var keepsAwake: Bool
    }

    var idleTimeout: TimeSpan
    var signals: [Signal]
    var rule: String
    var warnsAt: Date?
    var parksAt: Date?

    init(_ report: IdleReport) {
        idleTimeout = report.idleTimeout
        signals = report.signals.map {
            Signal(
                name: $0.name, value: $0.value, ageSeconds: $0.ageSeconds, source: $0.source,
                keepsAwake: $0.keepsAwake)
        }
        rule = report.rule
        warnsAt = report.warnsAt
        parksAt = report.parksAt
    }
}

/// `GET …/stats`. Bytes and seconds; a value that this box cannot tell is left out.
struct StatsDocument: Encodable, Sendable {
    struct Memory: Encodable, Sendable {
        var current: UInt64?
        var peak: UInt64?
        var limit: UInt64?
    }
    struct CPU: Encodable, Sendable {
        var seconds: Double?
    }
    struct Pids: Encodable, Sendable {
        var current: Int?
        var limit: Int?
    }

    var memory: Memory
    var cpu: CPU
    var pids: Pids
    var oomKills: Int?

    init(_ stats: SessionStats) {
        memory = Memory(current: stats.memoryBytes, peak: stats.memoryPeakBytes, limit: stats.memoryLimitBytes)
        cpu = CPU(seconds: stats.cpuSeconds)
        pids = Pids(current: stats.pids, limit: stats.pidsLimit)
        oomKills = stats.oomKills
    }
}

/// `GET …/screen?format=json`.
struct ScreenDocument: Encodable, Sendable {
    var size: TerminalSize
    var cursor: TerminalPosition
    var seq: UInt64
    var title: String?
    var lines: [String]

    init(_ screen: ScreenContent) {
        size = screen.size
        cursor = screen.cursor
        seq = screen.seq
        title = screen.title
        lines = screen.content.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}

/// `POST …/input`.
struct InputAccepted: Encodable, Sendable {
    var seq: UInt64
}
