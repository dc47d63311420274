import Foundation
import Logging
import SessionCore
import Synchronization

enum LogFormat: Sendable { case text, json }

/// The server's log on standard error, one line an entry. Its level can change while it runs.
struct ServerLog: LogHandler {
    /// What all of the process's loggers share.
    final class Output: Sendable {
        private let level: Mutex<Logger.Level>
        let format: LogFormat

        init(level: Logger.Level, format: LogFormat) {
            self.level = Mutex(level)
            self.format = format
        }

        var current: Logger.Level { level.withLock { $0 } }
        func set(_ new: Logger.Level) { level.withLock { $0 = new } }

        /// One write a line, so that lines of several threads and processes do not mix.
        /// A log that nobody takes any more, or a full disk, is no reason to stop.
        func write(_ line: String) { try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8)) }
    }

    let label: String
    let output: Output
    var metadata = Logger.Metadata()
    private var floor = Logger.Level.trace

    init(label: String, output: Output) {
        self.label = label
        self.output = output
    }

    /// Setting it makes one logger quieter than the process, never louder.
    var logLevel: Logger.Level {
        get { max(floor, output.current) }
        set { floor = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let time = Date.now.formatted(.rookery)
        output.write(
            Self.line(
                time: time, level: event.level, label: label, message: "\(event.message)", metadata: all,
                format: output.format))
    }

    /// Values of others are quoted: nobody writes a log line of their own.
    static func line(
        time: String, level: Logger.Level, label: String, message: String, metadata: Logger.Metadata,
        format: LogFormat
    ) -> String {
        let members = metadata.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
        switch format {
        case .text:
            let rest = members.map { " \($0.0)=\(Self.quotedIfNeeded($0.1))" }.joined()
            return "\(time) \(level) \(label): \(printable(message).replacing("\n", with: " "))\(rest)"
        case .json:
            let fixed = [("time", time), ("level", level.rawValue), ("logger", label), ("message", message)]
            let names = Set(fixed.map(\.0))
            let rest = members.map { (names.contains($0.0) ? "metadata.\($0.0)" : $0.0, $0.1) }
            return "{" + (fixed + rest).map { "\(quoted($0.0)):\(quoted($0.1))" }.joined(separator: ",") + "}"
        }
    }

    private static func quotedIfNeeded(_ text: String) -> String {
        let plain = !text.isEmpty && text.unicodeScalars.allSatisfy { (0x21...0x7e).contains($0.value) && $0 != "\"" }
        return plain ? text : quoted(text)
    }

    private static func quoted(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return String(decoding: (try? encoder.encode(text)) ?? Data("\"\"".utf8), as: UTF8.self)
    }
}
