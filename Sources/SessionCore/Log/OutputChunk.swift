import Foundation
import NIOCore

/// A run of terminal outputs with consecutive numbers in one buffer.
struct OutputChunk {
    private(set) var bytes: ByteBuffer
    let firstSequence: UInt64
    let time: Date
    /// Where each output ends in `bytes`.
    private var ends: [Int32] = []

    init(capacity: Int, firstSequence: UInt64, time: Date) {
        self.bytes = ByteBufferAllocator().buffer(capacity: capacity)
        self.firstSequence = firstSequence
        self.time = time
    }

    var lastSequence: UInt64 { firstSequence + UInt64(ends.count) - 1 }

    /// Memory it stands for, bookkeeping included.
    var cost: Int { bytes.readableBytes + ends.count * MemoryLayout<Int32>.size }

    mutating func append(_ output: ByteBuffer) {
        bytes.writeImmutableBuffer(output)
        ends.append(Int32(bytes.writerIndex))
    }

    /// The bytes of the outputs above `since`, which must be below `lastSequence`. `copying` makes the result
    /// independent, so that appending to this chunk does not have to copy it.
    func bytes(since: UInt64, copying: Bool) -> ByteBuffer {
        let start = since < firstSequence ? 0 : Int(ends[Int(since - firstSequence)])
        guard let slice = bytes.getSlice(at: start, length: bytes.writerIndex - start) else { return ByteBuffer() }
        return copying ? ByteBuffer(bytes: slice.readableBytesView) : slice
    }
}
