import NIOCore

/// Cuts the program's output into records, one a line. A record that is too large is thrown away as it comes: what it held
/// is never in memory as a whole.
struct RecordFramer {
    enum Record: Equatable {
        /// Without its end; never empty.
        case line(ByteBuffer)
        /// A line of so many bytes was left out.
        case dropped(bytes: Int)
    }

    private let largest: Int
    private var held = ByteBuffer()
    /// How much of `held` was looked through.
    private var scanned = 0
    /// Bytes of the line that is being thrown away; nil: none is.
    private var dropping: Int?

    init(largest: Int) { self.largest = largest }

    mutating func feed(_ bytes: ByteBuffer, _ take: (Record) -> Void) {
        var bytes = bytes
        if let dropped = dropping {
            guard let end = bytes.readableBytesView.firstIndex(of: 0x0a) else {
                dropping = dropped + bytes.readableBytes
                return
            }
            let count = end - bytes.readerIndex
            dropping = nil
            bytes.moveReaderIndex(forwardBy: count + 1)
            take(.dropped(bytes: dropped + count))
        }
        held.writeBuffer(&bytes)
        while true {
            let view = held.readableBytesView
            let from = view.index(view.startIndex, offsetBy: scanned)
            guard let end = view[from...].firstIndex(of: 0x0a) else { break }
            let count = end - view.startIndex
            scanned = 0
            if count > largest {
                held.moveReaderIndex(forwardBy: count)
                take(.dropped(bytes: count))
            } else if let line = held.readSlice(length: count), count > 0 {
                take(.line(line))
            }
            held.moveReaderIndex(forwardBy: 1)
        }
        scanned = held.readableBytes
        if scanned > largest {
            dropping = scanned
            held = ByteBuffer()
            scanned = 0
        } else if scanned == 0 {
            // One large record must not keep its storage for ever.
            if held.storageCapacity > 256 * 1024 { held = ByteBuffer() } else { held.clear() }
        } else {
            held.discardReadBytes()
        }
    }
}
