import NIOCore

/// Bytes that have come before their time, each piece with the moment at which it may go on. In order, whatever the moments
/// are: a piece goes no sooner than the one before it.
struct PacedBytes {
    private var pieces = CircularBuffer<(due: NIODeadline, bytes: ByteBuffer)>()

    var isEmpty: Bool { pieces.isEmpty }
    var nextDue: NIODeadline? { pieces.first?.due }

    mutating func append(_ bytes: ByteBuffer, due: NIODeadline) {
        pieces.append((max(due, pieces.last?.due ?? due), bytes))
    }

    mutating func popDue(at now: NIODeadline) -> ByteBuffer? {
        guard let due = nextDue, due <= now else { return nil }
        return pieces.removeFirst().bytes
    }
}
