import Foundation

/// The name of one prompt of a structured session, under which Claude Code takes it, and takes it once: an UUID (version 8
/// of RFC 9562) of the session's own first half and the prompt's number in the journal. So it needs no storage of its own.
public struct PromptID: Sendable, Hashable, CustomStringConvertible {
    public let session: SessionID
    /// Of the accepted input.
    public let seq: UInt64

    public init(session: SessionID, seq: UInt64) {
        self.session = session
        self.seq = seq & 0x3FFF_FFFF_FFFF_FFFF
    }

    /// nil for what is no prompt of that session.
    public init?(parsing text: some StringProtocol, of session: SessionID) {
        guard let uuid = SessionID(parsing: text)?.uuid.uuid else { return nil }
        let low: [UInt8] = [uuid.8, uuid.9, uuid.10, uuid.11, uuid.12, uuid.13, uuid.14, uuid.15]
        let id = PromptID(session: session, seq: low.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        guard id.description == text.lowercased() else { return nil }
        self = id
    }

    public var description: String {
        let high = session.uuid.uuid
        // Variant 10, then the number: none in a journal has more than 62 bits.
        let low = seq | 1 << 63
        func byte(_ index: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: low >> (56 - 8 * index)) }
        let uuid = UUID(
            uuid: (
                high.0, high.1, high.2, high.3, high.4, high.5, high.6 & 0x0F | 0x80, high.7, byte(0), byte(1), byte(2),
                byte(3), byte(4), byte(5), byte(6), byte(7)
            ))
        return uuid.uuidString.lowercased()
    }
}
