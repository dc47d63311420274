import Testing

@testable import Policy

/// Texts that nobody would write: made of pieces of policies, and good ones with bytes changed.
@Suite struct PolicyFuzzTests {
    /// SplitMix64: the same texts in every run.
    struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }

    static let pieces: [String] =
        PolicyKey.allCases.map { $0.rawValue + ": " } + PolicyKey.nested.values.flatMap { $0 }.map { "  \($0): " } + [
            "\n", "\n", "\n  ", "\n- ", "[", "]", "{", "}", ", ", "'", "\"", "#", "&a ", "*a", "<<: ", "? ", "!!str ",
            "!!binary ", "---\n", "...\n", "|\n  ", ">\n  ", "null", "~", "none", "never", "any", "true", "1", "-1",
            "99999999999999999999", "0x1f", "1e9", ".inf", "2GiB", "1TiB", "20m", "3650d", "\u{0}", "\u{e9}",
            "\u{1f600}", "\u{2028}", "\\u0000", "\\ud800", "%YAML 1.1\n", "\t", "host", "memory", "/dev/kvm", "/data",
        ]

    /// Every policy that is accepted is within bounds, without contradictions, and reads the same once written out.
    func check(_ text: String) throws -> Bool {
        let file = PolicyFile(path: "team.yaml")
        let policy: SessionPolicy
        do {
            policy = try file.parse(text, name: "team")
        } catch {
            #expect(!error.problem.isEmpty && !error.remedy.isEmpty)
            #expect("\(error)".utf8.count < 5000)
            return false
        }
        #expect(policy.sandbox.limits.outOfBounds == nil)
        #expect(policy.contradictions(trusted: true).isEmpty)
        #expect(EnvironmentRules.problem(in: policy.environment) == nil)
        #expect(try file.parse(PolicyTree(policy).yaml, name: "team") == policy, "\(text)")
        return true
    }

    @Test func textsOfPiecesNeverCrashTheParser() throws {
        var random = Seeded(state: 1)
        for _ in 0..<1500 {
            let count = Int.random(in: 1...24, using: &random)
            let text = (0..<count).map { _ in Self.pieces.randomElement(using: &random) ?? "" }.joined()
            _ = try check(text)
        }
    }

    @Test func changedPoliciesAreRefusedOrStayInBounds() throws {
        var random = Seeded(state: 2)
        var accepted = 0
        for round in 0..<600 {
            var bytes = Array(GoodPolicies.all[round % GoodPolicies.all.count].utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                case 2:
                    bytes.insert(contentsOf: Array((Self.pieces.randomElement(using: &random) ?? "").utf8), at: place)
                default: bytes[place] = UInt8(ascii: "0") + UInt8.random(in: 0...9, using: &random)
                }
            }
            // As the store does: what is no UTF-8 never comes to the parser.
            guard let text = String(validating: bytes, as: UTF8.self) else { continue }
            if try check(text) { accepted += 1 }
        }
        // The changes are small enough that many survive, and the check of what is accepted is made.
        #expect(accepted > 50)
    }
}
