import ClaudeCode
import SessionCore

/// Pieces of a message that is being written, joined until it is worth an event.
struct DeltaBuffer {
    /// Bytes that are told at once.
    static let most = 4 * 1024

    private var held: StreamDelta?

    /// Takes a piece; answers what is to be told before it, or with it.
    mutating func add(_ delta: StreamDelta) -> JSONValue? {
        guard var joined = held else {
            held = delta
            return nil
        }
        guard joined.messageID == delta.messageID, joined.index == delta.index, joined.isThinking == delta.isThinking,
            joined.parent == delta.parent
        else {
            held = delta
            return joined.event
        }
        joined.text += delta.text
        held = joined
        return joined.text.utf8.count >= Self.most ? flush() : nil
    }

    var isEmpty: Bool { held == nil }

    mutating func flush() -> JSONValue? {
        defer { held = nil }
        return held?.event
    }
}
