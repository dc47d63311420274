import Testing

@testable import Sandbox

@Suite struct UIDRangeTests {
    @Test(
        "ranges start where the contract says",
        arguments: [
            (0, 0x1000_0000), (1, 0x1001_0000), (0x5fff, 0x6fff_0000),
        ] as [(Int, UInt32)])
    func bases(slot: Int, base: UInt32) throws {
        let range = try #require(UIDRange(slot: slot))
        #expect(range.base == base)
        #expect(range.host(1000) == base + 1000)
        #expect(range.contains(base) && range.contains(base + 65_535))
        #expect(!range.contains(base + 65_536) && !range.contains(base - 1))
        #expect(range.mapLine == "0 \(base) 65536\n")
    }

    @Test("slots out of bounds are refused", arguments: [-1, 0x6000, Int.max, Int.min])
    func refused(slot: Int) { #expect(UIDRange(slot: slot) == nil) }

    @Test func neighboursDoNotOverlap() throws {
        let (first, second) = (try #require(UIDRange(slot: 7)), try #require(UIDRange(slot: 8)))
        #expect(!first.contains(second.base))
        #expect(!second.contains(first.host(65_535)))
    }
}
