public import Foundation

/// One line of a transcript.
public struct TranscriptLine: Sendable, Hashable {
    /// The longest line that is read; a longer one gives nothing.
    public static let longest = 16 << 20

    /// Its own name (`uuid`), by which the CLI's messages on standard output go too; nil where it has none.
    public let id: String?
    /// What it says, in order; empty for a line that is torn, unknown or of no interest.
    public let items: [TranscriptItem]
    /// What it says of a channel notification.
    public let channel: ChannelLine?
    private let timestamp: String?

    public init(parsing line: Data) {
        let object = JSONObject(line, limit: Self.longest)
        id = object?.string("uuid")
        items = object.map(TranscriptItem.items(of:)) ?? []
        channel = object.flatMap { ChannelLine($0) }
        timestamp = object?.string("timestamp")
    }

    /// When it was written; nil where it does not say.
    public var time: Date? {
        guard let timestamp else { return nil }
        return try? Date(
            timestamp, strategy: .iso8601.year().month().day().time(includingFractionalSeconds: true))
    }
}
