import Testing

@testable import Confinement

@Suite struct LandlockAbilitiesTests {
    @Test(
        "a kernel is asked for no more than its version knows",
        arguments: [
            (Int32(1), UInt64(0x1FFF), UInt64(0), UInt64(0), 3), (2, 0x3FFF, 0, 0, 3), (3, 0x7FFF, 0, 0, 2),
            (4, 0x7FFF, 3, 0, 1), (5, 0xFFFF, 3, 0, 1), (6, 0xFFFF, 3, 3, 0), (9, 0xFFFF, 3, 3, 0),
        ])
    func abilities(version: Int32, files: UInt64, ports: UInt64, scoped: UInt64, gaps: Int) {
        let abilities = LandlockRuleset.Abilities(version: version)
        #expect(abilities.files == files && abilities.ports == ports && abilities.scoped == scoped)
        #expect(abilities.missing.count == gaps)
    }

    @Test func nothingIsExpectedOfAKernelWithoutLandlock() {
        let abilities = LandlockRuleset.Abilities(version: -38)
        #expect(abilities.files == 0 && abilities.ports == 0 && abilities.scoped == 0)
        #expect(abilities.missing.count == 1)
    }
}
