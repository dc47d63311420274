import NIOCore
import Testing

@testable import Worker

@Suite struct RecordFramerTests {
    private func records(_ pieces: [String], largest: Int = 10) -> [String] {
        var framer = RecordFramer(largest: largest)
        var found: [String] = []
        for piece in pieces {
            framer.feed(ByteBuffer(string: piece)) { record in
                switch record {
                case .line(let line): found.append(String(buffer: line))
                case .dropped(let bytes): found.append("dropped \(bytes)")
                }
            }
        }
        return found
    }

    @Test(arguments: [
        (["one\ntwo\n"], ["one", "two"]),
        (["on", "e\nt", "wo\n"], ["one", "two"]),
        (["\n\none\n"], ["one"]),
        (["0123456789\n"], ["0123456789"]),
        (["0123456789a\nb\n"], ["dropped 11", "b"]),
        (["0123456", "789ab", "cdef", "\nx\n"], ["dropped 16", "x"]),
        (["0123456789ab", "cd\nx", "\n"], ["dropped 14", "x"]),
        (["no end"], []),
    ])
    func linesAreCutAndWhatIsTooLargeIsLeftOut(_ pieces: [String], _ wanted: [String]) {
        #expect(records(pieces) == wanted)
        // However it is cut.
        #expect(records(pieces.joined().map(String.init)) == wanted)
    }
}
