import Dialects
import Foundation
import Hummingbird
import NIOCore
import Registry
import SessionCore
import Supervisor

/// A session's terminal as asciicast v2, streamed from its journal through to its present end.
struct Recording: Sendable {
    let past: SessionPast
    let journal: JournalSource
    /// Begin after this record.
    let since: UInt64
    let includesInput: Bool

    func write(to writer: inout any ResponseBodyWriter) async throws {
        var encoder = AsciicastEncoder(includesInput: includesInput)
        let kinds: LogKinds = includesInput ? [.output, .resize, .input] : .terminal
        var since = since
        var isFirst = true
        while true {
            let reading = try await journal.read(since: since, kinds: kinds)
            var lines = ByteBuffer()
            if isFirst {
                let size = try await journal.size(at: since) ?? past.record.size
                lines.writeImmutableBuffer(
                    AsciicastEncoder.header(
                        size: size, time: reading.entries.first?.time ?? past.record.createdAt, title: past.record.name)
                )
                isFirst = false
            }
            if let gap = reading.gap { encoder.encode(gap, to: &lines) }
            for entry in reading.entries { encoder.encode(entry, to: &lines) }
            if reading.complete { encoder.finish(&lines) }
            if lines.readableBytes > 0 { try await writer.write(lines) }
            guard !reading.complete, reading.next > since else { break }
            since = reading.next
        }
        try await writer.finish(nil)
    }
}
