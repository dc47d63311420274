import Foundation
import Logging
import SessionCore

/// One JSON object a line on standard error: `time`, `level`, `message`, `label`, and the metadata below `data`.
struct JSONLogHandler: LogHandler {
    var label: String
    var logLevel = Logger.Level.info
    var metadata = Logger.Metadata()

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let data = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let line: JSONValue = [
            "time": .string(Date().formatted(.rookery)), "level": .string("\(event.level)"),
            "message": .string("\(event.message)"), "label": .string(label),
            "data": .object(data.mapValues { .string("\($0)") }),
        ]
        guard var text = try? JSONEncoder.rookery.encode(line) else { return }
        text.append(UInt8(ascii: "\n"))
        try? FileHandle.standardError.write(contentsOf: text)
    }
}
