import Testing

@testable import Sandbox

@Suite struct SubordinateIDsTests {
    @Test(
        "the first range that is large enough and nobody's own",
        arguments: [
            ("", nil), ("alice:100000:65536\n", 100_000), ("1234:100000:65535\n", 100_000), ("alice:100000:65534", nil),
            ("bob:100000:65536", nil), ("alice:100000:1000\nalice:300000:65536\n", 300_000), ("alice:0:65536", nil),
            ("alice:1000:65536", nil), ("alice:4294901761:65535", nil), ("alice:4294901760:65535", 4_294_901_760),
            ("alice:-1:65536", nil), ("alice:1e5:65536", nil), ("alice:100000", nil), ("alice:100000:65536:1", nil),
            ("# alice:100000:65536", nil), ("alicea:100000:65536", nil), (":::::\n\nalice:100000:65536", 100_000),
        ] as [(String, UInt32?)])
    func ranges(text: String, first: UInt32?) {
        #expect(SubordinateIDs.first(in: text, user: "alice", uid: 1234) == first)
    }

    @Test func everyIdInsideIsMappedOnceAndTheCallerIsTheCommand() {
        let extents = SubordinateIDs.extents(first: 200_000, own: 1234)
        var inside: [UInt32] = []
        var outside: Set<UInt32> = []
        for extent in extents {
            inside += extent.inside..<extent.inside + extent.count
            outside.formUnion(extent.outside..<extent.outside + extent.count)
        }
        #expect(inside == Array(0...65_535))
        #expect(outside.count == 65_536)
        #expect(extents.contains(.init(inside: 1000, outside: 1234, count: 1)))
    }
}
