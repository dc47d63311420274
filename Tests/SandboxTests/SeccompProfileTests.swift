import Testing

@testable import Sandbox

@Suite struct SeccompProfileTests {
    @Test func compilesToTwoProgramsOfWholeInstructions() throws {
        let programs = try SeccompProfile.standard.compile()
        #expect(programs.count == 2)
        for program in programs {
            #expect(program.count % 8 == 0)
            // BPF_MAXINSNS
            #expect(program.count / 8 <= 4096)
        }
    }

    @Test func noCallIsBothAllowedAndRefused() {
        #expect(Set(SystemCalls.allowed).isDisjoint(with: SystemCalls.refused))
        #expect(Set(SystemCalls.allowed).count == SystemCalls.allowed.count)
        for hidden in ["clone3", "io_uring_setup", "io_uring_enter", "io_uring_register"] {
            #expect(!SystemCalls.allowed.contains(hidden))
        }
    }
}
