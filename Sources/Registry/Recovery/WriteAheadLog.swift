import Foundation

/// SQLite's write-ahead log, looked at before SQLite does: where its beginning or its middle is damaged, SQLite takes the
/// transactions behind that for not committed, without a word. Format: sqlite.org/fileformat2.html, "The Write-Ahead Log".
enum WriteAheadLog {
    /// What is wrong with the log; nil when all that was committed to it can be read.
    static func fault(at path: String) -> String? {
        guard let data = FileManager.default.contents(atPath: path), !data.isEmpty else { return nil }
        return fault(in: [UInt8](data))
    }

    static func fault(in log: [UInt8]) -> String? {
        // Shorter than its header: nothing was committed to it.
        guard log.count >= headerSize else { return nil }
        let magic = word(log, 0)
        guard magic == 0x377f_0682 || magic == 0x377f_0683, word(log, 4) == 3_007_000 else {
            return "its header is not one of SQLite's"
        }
        let bigEndian = magic & 1 == 1
        var sum = checksum(log, 0..<24, bigEndian, (0, 0))
        guard sum == (word(log, 24), word(log, 28)) else { return "its header's checksum is wrong" }
        let page = Int(word(log, 8))
        guard page >= 512, page <= 65_536, page & (page - 1) == 0 else { return "its page size is \(page)" }
        let salt = (word(log, 16), word(log, 20))
        var offset = headerSize
        var frame = 1
        var broken: Int?
        while offset + frameHeader + page <= log.count {
            let isOurs = (word(log, offset + 8), word(log, offset + 12)) == salt
            if broken == nil {
                if isOurs {
                    var next = checksum(log, offset..<offset + 8, bigEndian, sum)
                    next = checksum(log, offset + frameHeader..<offset + frameHeader + page, bigEndian, next)
                    if next == (word(log, offset + 16), word(log, offset + 20)) { sum = next } else { broken = frame }
                } else {
                    // Frames of an earlier round of the log follow, or damage that hides a frame of this one.
                    broken = frame
                }
            } else if isOurs, let broken {
                return "its frame \(broken) is damaged, and frame \(frame) behind it is of the same round"
            }
            offset += frameHeader + page
            frame += 1
        }
        return nil
    }

    private static let headerSize = 32
    private static let frameHeader = 24

    private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func checksum(
        _ bytes: [UInt8], _ range: Range<Int>, _ bigEndian: Bool, _ start: (UInt32, UInt32)
    ) -> (UInt32, UInt32) {
        var (first, second) = start
        var offset = range.lowerBound
        while offset < range.upperBound {
            let one = word(bytes, offset)
            let two = word(bytes, offset + 4)
            first = first &+ (bigEndian ? one : one.byteSwapped) &+ second
            second = second &+ (bigEndian ? two : two.byteSwapped) &+ first
            offset += 8
        }
        return (first, second)
    }
}
