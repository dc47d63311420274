import NIOCore
import Testing

@testable import Worker

@Suite struct ConnectionPaceTests {
    private func at(_ milliseconds: Int64) -> NIODeadline {
        .uptimeNanoseconds(3_600_000_000_000) + .milliseconds(milliseconds)
    }

    @Test func `many go on at once, the rest one after another, and a pause gives all of it back`() {
        var pace = ConnectionPace()
        for _ in 0..<129 { #expect(pace.turn(at: at(0)) == at(0)) }
        #expect(pace.turn(at: at(0)) == at(20))
        #expect(pace.turn(at: at(0)) == at(40))
        // Both turns have been.
        #expect(pace.turn(at: at(60)) == at(60))
        for _ in 0..<129 { #expect(pace.turn(at: at(60_000)) == at(60_000)) }
        #expect(pace.turn(at: at(60_000)) == at(60_020))
    }
}
