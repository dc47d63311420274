import CLinux
import NIOCore

/// What precedes a record's payload. Little-endian; see Docs/reliability.md.
struct RecordHead: Hashable {
    static let size = 48
    /// The largest payload. Anything that claims to be larger is no record.
    static let largest = 8 << 20

    /// No number is as high.
    static let highest: UInt64 = 1 << 62

    enum Kind: UInt8 {
        case output = 1
        case input, delivering, resize, event
        /// The end of an incarnation that its worker saw.
        case closed
    }

    /// What an event is about, for readers that do not want to parse it.
    enum Mark: UInt8 {
        case none = 0
        case turnStarted, turnCompleted, permissionRequested, permissionResolved, inputDelivered
        case cheap
        case promptWithdrawn
        case message
        case toolStarted, toolCompleted

        /// A sandbox can cause as many of them as it likes.
        var isCheap: Bool { self == .cheap || self == .toolStarted || self == .toolCompleted }
    }

    /// Bytes of the payload.
    var length: Int
    var seq: UInt64
    /// Nanoseconds since 1970.
    var wall: Int64
    /// Nanoseconds of the monotonic clock.
    var monotonic: UInt64
    /// Everything through this number was on the disk when this record was written.
    var durable: UInt64
    var incarnation: UInt32
    /// A ``Kind``, or one of a later version.
    var kind: UInt8
    /// A ``Mark``, or one of a later version.
    var mark: UInt8

    func write(to raw: UnsafeMutableRawBufferPointer, seed: UInt32, payload: UnsafeRawBufferPointer) {
        raw.storeBytes(of: UInt32(length).littleEndian, as: UInt32.self)
        raw.storeBytes(of: seq.littleEndian, toByteOffset: 8, as: UInt64.self)
        raw.storeBytes(of: wall.littleEndian, toByteOffset: 16, as: Int64.self)
        raw.storeBytes(of: monotonic.littleEndian, toByteOffset: 24, as: UInt64.self)
        raw.storeBytes(of: durable.littleEndian, toByteOffset: 32, as: UInt64.self)
        raw.storeBytes(of: incarnation.littleEndian, toByteOffset: 40, as: UInt32.self)
        raw.storeBytes(of: kind, toByteOffset: 44, as: UInt8.self)
        raw.storeBytes(of: mark, toByteOffset: 45, as: UInt8.self)
        raw.storeBytes(of: 0, toByteOffset: 46, as: UInt16.self)
        let checksum = Self.checksum(UnsafeRawBufferPointer(raw), seed: seed, payload: payload)
        raw.storeBytes(of: checksum.littleEndian, toByteOffset: 4, as: UInt32.self)
    }

    /// nil when the bytes cannot be a record's head.
    init?(_ raw: UnsafeRawBufferPointer) {
        guard raw.count >= Self.size else { return nil }
        length = Int(UInt32(littleEndian: raw.loadUnaligned(as: UInt32.self)))
        seq = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        wall = Int64(littleEndian: raw.loadUnaligned(fromByteOffset: 16, as: Int64.self))
        monotonic = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
        durable = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 32, as: UInt64.self))
        incarnation = UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 40, as: UInt32.self))
        kind = raw[44]
        mark = raw[45]
        guard length <= Self.largest, seq > 0, seq < Self.highest, durable < seq, kind > 0, raw[46] == 0, raw[47] == 0
        else { return nil }
    }

    init(
        length: Int, seq: UInt64, wall: Int64, monotonic: UInt64, durable: UInt64, incarnation: UInt32, kind: Kind,
        mark: Mark = .none
    ) {
        self.length = length
        self.seq = seq
        self.wall = wall
        self.monotonic = monotonic
        self.durable = durable
        self.incarnation = incarnation
        self.kind = kind.rawValue
        self.mark = mark.rawValue
    }

    /// Whether the checksum in a head's bytes is that of the head and its payload.
    static func isGood(_ head: UnsafeRawBufferPointer, seed: UInt32, payload: UnsafeRawBufferPointer) -> Bool {
        let stored = UInt32(littleEndian: head.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        return stored == checksum(head, seed: seed, payload: payload)
    }

    /// Over everything but the checksum itself.
    private static func checksum(
        _ head: UnsafeRawBufferPointer, seed: UInt32, payload: UnsafeRawBufferPointer
    ) -> UInt32 {
        let length = rk_crc32c(seed, head.baseAddress, 4)
        let rest = rk_crc32c(length, head.baseAddress.map { $0 + 8 }, size - 8)
        return rk_crc32c(rest, payload.baseAddress, payload.count)
    }
}
