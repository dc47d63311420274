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

    /// What the log does not tell yet, in order; every tool has come to an end then.
    /// - Parameters:
    ///   - last: the name of the line whose message was the last to be read; what follows it was missed, and nothing where
    ///     no such line is. nil: none was.
    ///   - since: then, when the incarnation began.
    ///   - tools: those that were told of. Of them results count wherever they are: they are told by other ways than lines.
    func events(
        after last: String?, since: Date, tools: [JournalRecovery.Tool] = []
    ) -> [(type: EventType, data: JSONValue)] {
        let firstMissed: Int
        if let last {
            firstMissed = lines.lastIndex { $0.id == last }.map { $0 + 1 } ?? lines.endIndex
        } else {
            firstMissed = lines.firstIndex { ($0.time ?? .distantPast) >= since } ?? lines.endIndex
        }
        var tools = MissedTools(tools)
        var events: [(type: EventType, data: JSONValue)] = []
        for (index, line) in lines.enumerated() where events.count < Self.mostEvents {
            for item in line.items {
                if let event = tools.event(of: item, isMissed: index >= firstMissed) {
                    events.append(event)
                } else if index >= firstMissed, let event = MessageEvent.event(of: item, in: line.id),
                    case .object(var data) = event.data
                {
                    data["recovered"] = true
                    events.append((event.type, .object(data)))
                }
            }
        }
        return events + tools.ends
    }
}
