public import Foundation

/// A transcript's line about channel notifications, each of which was sent under an id. Read off the program of version 2.1.329:
/// the model is shown `<channel source="claude-socket" …>`, in a line that is the CLI's own (`isMeta`); one that has to wait
/// is in a line of the CLI's queue first, which is in its memory alone.
public struct ChannelLine: Sendable, Hashable {
    /// The `message_id` among each notification's `meta`. The CLI may have made one message of several.
    public var ids: [String]
    public var place: Place

    public enum Place: Sendable, Hashable {
        /// In the CLI's queue.
        case waits
        /// In the conversation: a turn begins with it.
        case begins
        /// In the conversation: it was taken into a turn that ran.
        case joins
    }

    public init(_ ids: [String], _ place: Place) {
        self.ids = ids
        self.place = place
    }

    /// nil for a line about anything else.
    public init?(parsing line: Data) {
        guard line.range(of: Data("\(ChannelServer.idKey)=".utf8)) != nil,
            let object = JSONObject(line, limit: TranscriptLine.longest)
        else { return nil }
        self.init(object)
    }

    init?(_ object: JSONObject) {
        guard object.bool("isSidechain") != true else { return nil }
        let (place, texts): (Place, [String])
        switch object.string("type") {
        case "user": (place, texts) = (.begins, Self.texts(object.object("message"), "content"))
        case "attachment":
            let attachment = object.object("attachment")
            guard attachment?.string("type") == "queued_command" else { return nil }
            (place, texts) = (.joins, Self.texts(attachment, "prompt"))
        case "queue-operation":
            guard object.string("operation") == "enqueue" else { return nil }
            (place, texts) = (.waits, Self.texts(object, "content"))
        default: return nil
        }
        let ids = texts.flatMap(ChannelServer.ids(in:))
        guard !ids.isEmpty else { return nil }
        self.init(ids, place)
    }

    private static func texts(_ object: JSONObject?, _ key: String) -> [String] {
        if let text = object?.string(key) { return [text] }
        return (object?.objects(key) ?? []).compactMap { $0.string("text") }
    }
}
