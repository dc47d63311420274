public import Foundation
public import NIOCore
public import SessionCore

/// A terminal's past as asciicast v2 (docs.asciinema.org/manual/asciicast/v2): a header line, then a line an event, times
/// in seconds since the first. `o` output, `i` input, `r` resize, and `m`, a marker, where something is gone.
public struct AsciicastEncoder: Sendable {
    /// Longer pauses are shown as this long: a session may be parked for days.
    public static let idleLimit = 3

    private var start: (time: Date, monotonic: UInt64, incarnation: Int)?
    /// Seconds of the last line; they never fall.
    private var last = 0.0
    /// Where the present incarnation began, in seconds.
    private var base = 0.0
    /// The end of the output so far, where it is the beginning of a character.
    private var partial: [UInt8] = []
    private let includesInput: Bool

    public init(includesInput: Bool) { self.includesInput = includesInput }

    public static func header(size: TerminalSize, time: Date, title: String?) -> ByteBuffer {
        var line = ByteBuffer()
        line.writeString("{\"version\":2,\"width\":\(size.cols),\"height\":\(size.rows)")
        line.writeString(",\"timestamp\":\(Int(time.timeIntervalSince1970)),\"idle_time_limit\":\(idleLimit)")
        if let title {
            line.writeString(",\"title\":")
            line.write(json: Array(title.utf8))
        }
        line.writeString(",\"env\":{\"TERM\":\"xterm-256color\"}}\n")
        return line
    }

    /// Adds the lines of one record.
    public mutating func encode(_ entry: JournalEntry, to lines: inout ByteBuffer) {
        let time = seconds(of: entry)
        switch entry.record {
        case .output(let bytes):
            var whole = partial + Array(bytes.readableBytesView)
            let cut = Self.wholeCharacters(in: whole)
            partial = Array(whole[cut...])
            whole.removeSubrange(cut...)
            if !whole.isEmpty { lines.write(time, "o", whole) }
        case .resize(let size):
            lines.write(time, "r", Array("\(size.cols)x\(size.rows)".utf8))
        case .input(let input):
            guard includesInput else { return }
            switch input.content {
            case .text(let text, let submit): lines.write(time, "i", Array((submit ? text + "\r" : text).utf8))
            case .prompt: break
            case .keys(let bytes): lines.write(time, "i", Array(bytes.readableBytesView))
            }
        case .event: break
        }
    }

    /// Says that records are gone.
    public mutating func encode(_ gap: LogGap, to lines: inout ByteBuffer) {
        finish(&lines)
        lines.write(last, "m", Array("gap: records \(gap.after + 1) to \(gap.through) are not kept any more".utf8))
    }

    /// What is left: the beginning of a character that never got its end.
    public mutating func finish(_ lines: inout ByteBuffer) {
        if !partial.isEmpty { lines.write(last, "o", partial) }
        partial = []
    }

    /// Within an incarnation by the monotonic clock; between two by the wall's.
    private mutating func seconds(of entry: JournalEntry) -> Double {
        defer { if start == nil { start = (entry.time, entry.monotonic, entry.incarnation) } }
        guard let start else { return 0 }
        if entry.incarnation == start.incarnation, entry.monotonic >= start.monotonic {
            last = max(last, base + Double(entry.monotonic - start.monotonic) / 1e9)
        } else {
            base = last + max(0, entry.time.timeIntervalSince(start.time) - (last - base))
            last = base
            self.start = (entry.time, entry.monotonic, entry.incarnation)
        }
        return last
    }

    /// Where the last whole character ends: what follows may become one.
    static func wholeCharacters(in bytes: [UInt8]) -> Int {
        for back in 1...3 where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            guard byte & 0b1100_0000 != 0b1000_0000 else { continue }
            let length = byte >= 0xF0 && byte < 0xF8 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return byte < 0xF8 && length > back ? bytes.count - back : bytes.count
        }
        return bytes.count
    }
}

extension ByteBuffer {
    fileprivate mutating func write(_ seconds: Double, _ code: String, _ bytes: [UInt8]) {
        // Microseconds, without a formatter's cost.
        let micros = UInt64(seconds * 1e6)
        let fraction = String(micros % 1_000_000)
        let zeros = String(repeating: "0", count: 6 - fraction.count)
        writeString("[\(micros / 1_000_000).\(zeros)\(fraction),\"\(code)\",")
        write(json: bytes)
        writeString("]\n")
    }

    /// A JSON string of bytes that should be UTF-8; what is not becomes U+FFFD.
    fileprivate mutating func write(json bytes: [UInt8]) {
        writeInteger(UInt8(ascii: "\""))
        for byte in String(decoding: bytes, as: UTF8.self).utf8 {
            switch byte {
            case UInt8(ascii: "\""): writeString("\\\"")
            case UInt8(ascii: "\\"): writeString("\\\\")
            case UInt8(ascii: "\n"): writeString("\\n")
            case UInt8(ascii: "\r"): writeString("\\r")
            case ..<0x20, 0x7f:
                let digits = String(byte, radix: 16)
                writeString("\\u00\(digits.count == 1 ? "0" : "")\(digits)")
            default: writeInteger(byte)
            }
        }
        writeInteger(UInt8(ascii: "\""))
    }
}
