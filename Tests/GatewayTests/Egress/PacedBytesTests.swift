import NIOCore
import Testing

@testable import Gateway

@Suite struct PacedBytesTests {
    @Test func `bytes go when their time has come, in the order in which they came`() {
        func at(_ seconds: UInt64) -> NIODeadline { .uptimeNanoseconds(seconds * 1_000_000_000) }
        func text(_ bytes: ByteBuffer?) -> String? { bytes.map { String(buffer: $0) } }
        var waiting = PacedBytes()
        #expect(waiting.isEmpty)
        waiting.append(ByteBuffer(string: "a"), due: at(5))
        // Sooner than the one before it: no.
        waiting.append(ByteBuffer(string: "b"), due: at(2))
        waiting.append(ByteBuffer(string: "c"), due: at(7))
        #expect(waiting.nextDue == at(5))
        #expect(waiting.popDue(at: at(4)) == nil)
        #expect(text(waiting.popDue(at: at(5))) == "a")
        #expect(text(waiting.popDue(at: at(5))) == "b")
        #expect(waiting.popDue(at: at(6)) == nil)
        #expect(text(waiting.popDue(at: at(7))) == "c")
        #expect(waiting.isEmpty)
    }
}
