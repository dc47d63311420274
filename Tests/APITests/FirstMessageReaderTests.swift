import NIOCore
import Testing

@testable import API

@Suite struct FirstMessageReaderTests {
    private func reader(_ bytes: [UInt8]...) -> FirstMessageReader {
        var reader = FirstMessageReader()
        for part in bytes { reader.feed(ByteBuffer(bytes: part)) }
        return reader
    }

    @Test func unmasksAMessageAndKeepsItsBytes() throws {
        let frame = RawClient.frame(0x81, Array("hé".utf8))
        var reader = reader(frame)
        #expect(try reader.next() == .text("hé", raw: ByteBuffer(bytes: frame)))
        #expect(try reader.next() == nil)
        #expect(reader.rest.readableBytes == 0)
    }

    @Test func readsByteByByte() throws {
        let frame = RawClient.frame(0x82, [UInt8](repeating: 7, count: 300))
        var reader = FirstMessageReader()
        for byte in frame.dropLast() {
            reader.feed(ByteBuffer(bytes: [byte]))
            #expect(try reader.next() == nil)
        }
        reader.feed(ByteBuffer(bytes: [frame[frame.count - 1]]))
        #expect(try reader.next() == .binary(raw: ByteBuffer(bytes: frame)))
    }

    @Test func joinsFragmentsAroundAPing() throws {
        let first = RawClient.frame(0x01, Array("ab".utf8))
        let last = RawClient.frame(0x80, Array("cd".utf8))
        var reader = reader(first, RawClient.frame(0x89, [9]), last)
        #expect(try reader.next() == .ping(ByteBuffer(bytes: [9])))
        #expect(try reader.next() == .text("abcd", raw: ByteBuffer(bytes: first + last)))
    }

    @Test func givesBackWhatFollowsTheFirstMessage() throws {
        let first = RawClient.frame(0x81, [0x61])
        let start = RawClient.frame(0x01, [0x62])
        let part = Array(RawClient.frame(0x80, [0x63]).dropLast())
        var reader = reader(first + start + part)
        _ = try reader.next()
        #expect(reader.rest == ByteBuffer(bytes: start + part))
        // Also when the start of the next message has been looked at.
        #expect(try reader.next() == nil)
        #expect(reader.rest == ByteBuffer(bytes: start + part))
    }

    @Test(
        arguments: [
            ([0x81, 0x01, 0x61], 1002), ([0xC1, 0x80, 0, 0, 0, 0], 1002), ([0x83, 0x80, 0, 0, 0, 0], 1002),
            ([0x80, 0x80, 0, 0, 0, 0], 1002), ([0x09, 0x80, 0, 0, 0, 0], 1002), ([0x89, 0xFE], 1002),
            ([0x81, 0xFF, 0, 0, 0, 0, 0, 0x10, 0, 1], 1009),
            ([0x81, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], 1009),
            ([0x81, 0x81, 0, 0, 0, 0, 0xFF], 1007),
        ] as [([UInt8], UInt16)])
    func refusesWhatRFC6455Forbids(bytes: [UInt8], code: UInt16) {
        var reader = reader(bytes)
        let violation = #expect(throws: WebSocketViolation.self) { try reader.next() }
        #expect(violation?.code == code)
    }

    @Test func boundsAMessageInFragments() {
        var reader = FirstMessageReader()
        reader.feed(ByteBuffer(bytes: RawClient.frame(0x02, [UInt8](repeating: 0, count: 1 << 20))))
        reader.feed(ByteBuffer(bytes: RawClient.frame(0x80, [0])))
        #expect(throws: WebSocketViolation.self) { try reader.next() }
    }
}
