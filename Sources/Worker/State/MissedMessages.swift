import ClaudeCode
import Foundation
import SessionCore

/// What the CLI of the last incarnation had stored when it was killed, and its worker had not read any more.
struct MissedMessages {
    /// The end of the session's transcript.
    private var lines: [TranscriptLine] = []

    /// How much of the end is looked at: it grew for some milliseconds unread.
    private static let most = 1 << 20
    private static let mostEvents = 1000

    init(of sessionID: String, in home: HomeDirectory) {
        for path in EarlierTranscripts.paths(of: sessionID, in: home) ?? [] {
            let end = home.end(of: path, limit: Self.most) ?? Data()
            lines += end.split(separator: UInt8(ascii: "\n")).map { TranscriptLine(parsing: Data($0)) }
        }
    }

    /// - Parameters:
    ///   - last: the name of the line whose message was the last to be read; what follows it was missed, and nothing where
    ///     no such line is. nil: none was.
    ///   - since: then, when the incarnation began.
    func events(after last: String?, since: Date) -> [(type: EventType, data: JSONValue)] {
        let missed: ArraySlice<TranscriptLine>
        if let last {
            guard let index = lines.lastIndex(where: { $0.id == last }) else { return [] }
            missed = lines[(index + 1)...]
        } else {
            missed = lines.drop { ($0.time ?? .distantPast) < since }
        }
        return Array(missed.lazy.flatMap(Self.events(of:)).prefix(Self.mostEvents))
    }

    private static func events(of line: TranscriptLine) -> [(type: EventType, data: JSONValue)] {
        line.items.compactMap { item in
            guard let event = MessageEvent.event(of: item, in: line.id), case .object(var data) = event.data else {
                return nil
            }
            data["recovered"] = true
            return (event.type, .object(data))
        }
    }
}
