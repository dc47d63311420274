import Glibc
import NIOCore

/// The segment that records are appended to. Each record goes to the file in one call, before anybody else sees it.
final class SegmentWriter {
    let header: SegmentHeader
    /// Closed by whoever syncs it last.
    let file: Int32
    /// Bytes of whole records, the header included. A failed write may have left others behind them.
    private(set) var position: Int
    private let disk: JournalDisk
    private let seed: UInt32
    /// Space that is ours through here, whatever others do to the disk.
    private var allocated: Int
    private var preallocates = true
    private let head = UnsafeMutableRawBufferPointer.allocate(byteCount: RecordHead.size, alignment: 8)

    /// Kept for what must be written when the disk is full: events, and what becomes of inputs.
    static let reserve = 64 * 1024
    private static let step = 512 * 1024

    private init(_ header: SegmentHeader, seed: UInt32, file: Int32, position: Int, disk: JournalDisk) {
        self.header = header
        self.seed = seed
        self.file = file
        self.position = position
        self.allocated = position
        self.disk = disk
    }

    deinit { head.deallocate() }

    /// Makes a segment. Neither its content nor its name is on the disk until ``GroupCommit`` has put it there.
    static func create(
        _ header: SegmentHeader, in directory: JournalDirectory, disk: JournalDisk
    ) throws(LogStall) -> SegmentWriter {
        let name = JournalDirectory.name(of: header.first)
        let temporary = name + ".new"
        directory.remove(temporary)
        let file: Int32
        do { file = try directory.open(temporary, O_RDWR | O_CREAT | O_EXCL) } catch { throw LogStall(error) }
        do throws(LogStall) {
            let (bytes, seed) = header.encoded()
            let writer = SegmentWriter(header, seed: seed, file: file, position: 0, disk: disk)
            try writer.allocate(bytes.readableBytes, keeping: reserve)
            try bytes.withUnsafeReadableBytes { bytes throws(LogStall) in
                try writer.write(UnsafeRawBufferPointer(rebasing: bytes[..<0]), bytes)
            }
            do throws(JournalError) { try directory.rename(temporary, to: name) } catch { throw LogStall(error) }
            return writer
        } catch {
            close(file)
            directory.remove(temporary)
            throw error
        }
    }

    /// Goes on with a segment that is whole through `position`.
    static func resume(
        _ header: SegmentHeader, at position: Int, in directory: JournalDirectory, disk: JournalDisk
    ) throws(JournalError) -> SegmentWriter {
        let file = try directory.open(JournalDirectory.name(of: header.first), O_RDWR)
        return SegmentWriter(header, seed: header.seed, file: file, position: position, disk: disk)
    }

    /// - Parameter isEssential: it may use the reserve.
    func append(_ record: RecordHead, _ payload: UnsafeRawBufferPointer, isEssential: Bool) throws(LogStall) {
        let size = RecordHead.size + payload.count
        if !isEssential || position + size > allocated { try allocate(size, keeping: isEssential ? 0 : Self.reserve) }
        record.write(to: head, seed: seed, payload: payload)
        try write(UnsafeRawBufferPointer(head), payload)
    }

    /// Whether an output could be appended now.
    func makeRoom() throws(LogStall) { try allocate(Self.step, keeping: Self.reserve) }

    private func allocate(_ count: Int, keeping reserve: Int) throws(LogStall) {
        let needed = position + count + reserve - allocated
        guard preallocates, needed > 0 else { return }
        // Ahead when there is plenty, just enough when there is not.
        for length in needed < Self.step ? [Self.step, needed] : [needed] {
            let failure = disk.allocate(file, off_t(allocated), off_t(length))
            switch failure {
            case 0:
                allocated += length
                return
            case EOPNOTSUPP, ENOSYS:
                // Then without a reserve.
                preallocates = false
                return
            case ENOSPC, EDQUOT: continue
            default: throw LogStall(errno: failure)
            }
        }
        throw LogStall(errno: ENOSPC)
    }

    private func write(_ head: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer) throws(LogStall) {
        let total = head.count + payload.count
        var written = 0
        while written < total {
            let fromHead = min(written, head.count)
            let fromPayload = written - fromHead
            let count = withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2) { parts in
                parts[0] = iovec(
                    iov_base: UnsafeMutableRawPointer(mutating: head.baseAddress.map { $0 + fromHead }),
                    iov_len: head.count - fromHead)
                parts[1] = iovec(
                    iov_base: UnsafeMutableRawPointer(mutating: payload.baseAddress.map { $0 + fromPayload }),
                    iov_len: payload.count - fromPayload)
                return parts.baseAddress.map { disk.write(file, UnsafePointer($0), 2, off_t(position + written)) } ?? 0
            }
            guard count > 0 else { throw LogStall(errno: count < 0 ? Int32(-count) : EIO) }
            written += count
        }
        position += total
    }
}

extension LogStall {
    init(_ error: JournalError) {
        if case .system(_, let code) = error { self.init(errno: code) } else { self.init(errno: EIO) }
    }
}
