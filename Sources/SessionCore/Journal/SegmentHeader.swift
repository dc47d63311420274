import CLinux
import Foundation
import NIOCore

/// The first bytes of every segment. Little-endian; see Docs/reliability.md.
struct SegmentHeader {
    static let size = 96
    static let version: UInt16 = 1
    private static let magic: [UInt8] = Array("RookJrnl".utf8)

    struct Flags: OptionSet, Hashable {
        let rawValue: UInt16
        /// Terminal output was taken out.
        static let thinned = Flags(rawValue: 1)
        /// Events that a sandbox can cause at will were taken out as well.
        static let pruned = Flags(rawValue: 2)
    }

    var flags: Flags
    var sessionID: SessionID
    /// The number of its first record, which is its name too.
    var first: UInt64
    /// The last number of the segment before, 0 when there never was one.
    var previous: UInt64
    /// Of a thinned segment: the last number that it stands for. Segments that begin below are left over.
    var covers: UInt64
    /// Terminal output through this number may be missing.
    var lostOutput: UInt64
    /// Other records through this number may be missing.
    var lostEvents: UInt64
    /// Nanoseconds since 1970.
    var created: Int64
    /// Which boot of the machine wrote it: the first bytes of the kernel's boot id.
    var boot: UInt64
    /// Makes the checksums of this segment's records its own: nobody who gets bytes into it can forge a record there.
    var salt: UInt32

    /// The bytes, and the checksum that those of its records go on from.
    func encoded() -> (bytes: ByteBuffer, seed: UInt32) {
        var bytes = ByteBuffer()
        bytes.writeBytes(Self.magic)
        bytes.writeInteger(Self.version, endianness: .little)
        bytes.writeInteger(flags.rawValue, endianness: .little)
        bytes.writeInteger(UInt32(Self.size), endianness: .little)
        withUnsafeBytes(of: sessionID.uuid.uuid) { _ = bytes.writeBytes($0) }
        for number in [first, previous, covers, lostOutput, lostEvents, UInt64(bitPattern: created), boot] {
            bytes.writeInteger(number, endianness: .little)
        }
        bytes.writeInteger(salt, endianness: .little)
        let seed = bytes.withUnsafeReadableBytes { rk_crc32c(0, $0.baseAddress, $0.count) }
        bytes.writeInteger(seed, endianness: .little)
        return (bytes, seed)
    }

    /// nil when the bytes are no header of this version.
    init?(_ raw: UnsafeRawBufferPointer) {
        guard raw.count >= Self.size else { return nil }
        var bytes = ByteBuffer(bytes: raw[..<Self.size])
        let seed = rk_crc32c(0, raw.baseAddress, Self.size - 4)
        guard bytes.readBytes(length: 8) == Self.magic,
            bytes.readInteger(endianness: .little, as: UInt16.self) == Self.version,
            let flags = bytes.readInteger(endianness: .little, as: UInt16.self),
            bytes.readInteger(endianness: .little, as: UInt32.self) == UInt32(Self.size),
            let id = bytes.readBytes(length: 16)
        else { return nil }
        var numbers: [UInt64] = []
        while numbers.count < 7, let number = bytes.readInteger(endianness: .little, as: UInt64.self) {
            numbers.append(number)
        }
        guard numbers.count == 7, let salt = bytes.readInteger(endianness: .little, as: UInt32.self),
            bytes.readInteger(endianness: .little, as: UInt32.self) == seed
        else { return nil }
        let uuid = id.withUnsafeBytes { $0.loadUnaligned(as: uuid_t.self) }
        self.init(
            flags: Flags(rawValue: flags), sessionID: SessionID(UUID(uuid: uuid)), first: numbers[0],
            previous: numbers[1], covers: numbers[2], lostOutput: numbers[3], lostEvents: numbers[4],
            created: Int64(bitPattern: numbers[5]), boot: numbers[6], salt: salt)
        self.seed = seed
    }

    /// The checksum of a header that was read; records go on from it.
    private(set) var seed: UInt32 = 0

    init(
        flags: Flags = [], sessionID: SessionID, first: UInt64, previous: UInt64, covers: UInt64 = 0,
        lostOutput: UInt64 = 0, lostEvents: UInt64 = 0, created: Int64, boot: UInt64,
        salt: UInt32 = .random(in: .min ... .max)
    ) {
        self.flags = flags
        self.sessionID = sessionID
        self.first = first
        self.previous = previous
        self.covers = covers
        self.lostOutput = lostOutput
        self.lostEvents = lostEvents
        self.created = created
        self.boot = boot
        self.salt = salt
    }
}
