import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// Prompts, interrupts, withdrawals and the death of a worker in random order: what the model was told in the end is what
/// was asked, each once, and what we said of each agrees. `SOAK` is the number of rounds, `SEED` what they are made of.
@Suite(.serialized) struct StructuredSoakTests {
    @Test func theModelIsToldEachPromptOnceWhateverHappensInBetween() async throws {
        let environment = ProcessInfo.processInfo.environment
        let rounds = environment["SOAK"].flatMap(Int.init) ?? 14
        let seed = environment["SEED"].flatMap(UInt64.init) ?? .random(in: 1...(.max))
        var random = Xorshift(state: seed)
        try await Rookery.with { rookery in
            let api = rookery.api
            let id = try await api.create(["kind": "structured"])
            var client = try await StreamClient(api, id, since: 0)
            var asked: [String: String] = [:]
            var withdrawn: Set<String> = []
            for round in 0..<rounds {
                let mark = "mark\(1000 + round)"
                let text =
                    ["SAY \(mark)", "DRIP 4 0.2 \(mark)", "BASH echo \(mark)"].randomElement(using: &random) ?? ""
                let prompt = try await client.prompt(text)
                asked[prompt] = mark
                switch Int.random(in: 0..<6, using: &random) {
                case 0: _ = try await client.end(of: prompt)
                case 1:
                    if try await client.command(.withdraw(promptID: prompt))["ok"] == true { withdrawn.insert(prompt) }
                case 2: try await client.command(.interrupt)
                case 3: try await Task.sleep(for: .milliseconds(Int.random(in: 0..<400, using: &random)))
                default: break
                }
                guard round == rounds / 2 else { continue }
                let worker = try #require(rookery.processes(of: id).first { $0.command.contains("rookery-worker") })
                kill(worker.pid, SIGKILL)
                client = try await eventually("the session to run again, seed \(seed)", within: .seconds(60)) {
                    try? await StreamClient(api, id, since: 0)
                }
            }
            try await api.waitFor(id, activity: .idle)
            let recall = try await client.prompt("RECALL")
            let told = try await client.end(of: recall)["message"]?.string ?? ""
            // Those that an interrupt met before they had begun are taken back too, and said to be.
            withdrawn.formUnion(await client.events(.promptWithdrawn).compactMap { $0["prompt_id"]?.string })
            let interrupted = Set(
                await client.events(.turnCompleted).filter { $0["outcome"] == "interrupted" }
                    .flatMap { $0["prompt_ids"]?.array?.compactMap(\.string) ?? [] })
            for (prompt, mark) in asked {
                let times = told.components(separatedBy: mark).count - 1
                // Of a turn that is interrupted before it has asked the model, Claude Code keeps nothing.
                let expected = withdrawn.contains(prompt) ? 0...0 : interrupted.contains(prompt) ? 0...1 : 1...1
                #expect(expected.contains(times), "\(mark) \(prompt), seed \(seed):\n\(told)")
            }
            // What we said of a prompt is what became of it: delivered once, or taken back.
            let delivered = await client.events(.inputDelivered)
            for prompt in asked.keys {
                let times = delivered.count { $0["prompt_id"]?.string == prompt }
                if withdrawn.contains(prompt) {
                    #expect(times == 0, "\(prompt), seed \(seed)")
                } else {
                    // The incarnation that died may have said so already.
                    #expect((1...2).contains(times), "\(prompt), seed \(seed)")
                    let found = delivered.count { $0["prompt_id"]?.string == prompt && $0["found"] == true }
                    #expect(found == times - 1 || times == 1, "\(prompt), seed \(seed)")
                }
            }
            // Each is of one turn.
            let ended = await client.events(.turnCompleted).flatMap { $0["prompt_ids"]?.array ?? [] }
            for prompt in asked.keys {
                #expect(ended.count { $0.string == prompt } <= 1, "\(prompt), seed \(seed)")
            }
            // Turns neither overlap nor end twice.
            var open = false
            for message in await client.socket.messages {
                switch message["type"]?.string {
                case "turn.started":
                    #expect(!open, "seed \(seed)")
                    open = true
                case "turn.completed":
                    #expect(open, "seed \(seed)")
                    open = false
                default: break
                }
            }
            #expect(!open, "seed \(seed)")
            await client.close()
        }
    }
}

private struct Xorshift: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
