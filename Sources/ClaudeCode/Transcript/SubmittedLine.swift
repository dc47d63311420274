public import Foundation

/// One line of `~/.claude/history.jsonl`: what a person submitted in the CLI's terminal, written at once. Observed of
/// version 2.1.329; commands (`/cost`) are there too, which leave nothing in the transcript.
public struct SubmittedLine: Sendable, Hashable {
    public var text: String
    public var time: Date
    public var sessionID: String?

    /// Relative to the home.
    public static let path = ".claude/history.jsonl"

    /// nil for a line that is torn or of another form.
    public init?(parsing line: Data) {
        guard let object = JSONObject(line, limit: TranscriptLine.longest), let text = object.string("display"),
            let milliseconds = object.integer("timestamp")
        else { return nil }
        self.text = text
        time = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
        sessionID = object.string("sessionId")
    }

    /// It was for the CLI itself or for a shell: no message to the model.
    public var isCommand: Bool { text.hasPrefix("/") || text.hasPrefix("!") }
}
