import Foundation
import Policy

/// What the host has of memory, for deciding whether spares may have some of it.
struct HostMemory: Equatable {
    /// Bytes.
    var available: UInt64
    var total: UInt64

    enum Standing: Equatable, Sendable {
        case ample
        /// None are made; those that are there stay.
        case tight
        /// Those that are there go.
        case short
    }

    /// Sessions' sandboxes come and go by hundreds of megabytes; the kernel needs room before it is in trouble.
    var standing: Standing {
        let floor = max(total / 20, ByteSize.mebibytes(256).bytes)
        if available < floor { return .short }
        return available < 2 * floor + ByteSize.mebibytes(256).bytes ? .tight : .ample
    }

    /// - Parameter text: of `/proc/meminfo`; nil when it does not say.
    init?(parsing text: String) {
        func bytes(_ name: String) -> UInt64? {
            for line in text.split(separator: "\n") where line.hasPrefix("\(name):") {
                return line.split(separator: " ").dropFirst().first.flatMap { UInt64($0) }.map { $0 * 1024 }
            }
            return nil
        }
        guard let available = bytes("MemAvailable"), let total = bytes("MemTotal") else { return nil }
        self.available = available
        self.total = total
    }

    /// Of this host; tight where it cannot be told.
    static var standing: Standing {
        let text = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)) ?? ""
        return HostMemory(parsing: text)?.standing ?? .tight
    }
}
