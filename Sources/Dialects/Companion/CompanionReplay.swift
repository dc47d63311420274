/// The last messages of a session, for browsers that come back (seed-protocols 3.4).
struct CompanionReplay: Sendable {
    static let capacity = 600
    static let byteCapacity = 8 << 20

    private var frames: [(frame: CompanionFrame, size: Int)] = []
    private var bytes = 0
    /// Everything above this number is here.
    private(set) var floor: UInt64 = 0

    mutating func append(_ frame: CompanionFrame, size: Int) {
        frames.append((frame, size))
        bytes += size
        guard frames.count > Self.capacity || bytes > Self.byteCapacity else { return }
        // A quarter at a time, so that a full buffer does not move on every message.
        let dropped = min(frames.count - 1, max(frames.count - Self.capacity, Self.capacity / 4))
        floor = frames[dropped - 1].frame.seq ?? floor
        bytes -= frames.prefix(dropped).reduce(0) { $0 + $1.size }
        frames.removeFirst(dropped)
    }

    /// Events through `seq` are not to be had.
    mutating func forget(through seq: UInt64) {
        floor = max(floor, seq)
        frames.removeAll { ($0.frame.seq ?? 0) <= seq }
        bytes = frames.reduce(0) { $0 + $1.size }
    }

    func all(after seq: UInt64) -> [CompanionFrame] {
        frames.lazy.map(\.frame).filter { ($0.seq ?? 0) > seq }
    }
}
