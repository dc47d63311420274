import Foundation
import NIOCore
import Testing

@testable import SessionCore

/// One thing that happens in an incarnation, and when, in seconds.
private enum Step {
    case text(String, submit: Bool = true)
    case keys
    case delivering(UInt64)
    case delivered(UInt64, found: Bool = false)
    case event(EventType)
    case message(JSONValue)
    case other(EventType, JSONValue)
    case turn(of: [JSONValue])
    /// Of a structured session.
    case prompt(String)
    case interrupted([UInt64])
    case output(after: Double)
    case closed(onRequest: Bool)
}

private struct Recovered: CustomTestStringConvertible {
    var name: String
    var steps: [Step]
    var inputs: [String] = []
    var turnIsOpen = false
    var wasKilled = true
    var lastMessage: String?
    var mergedPrompts: [String: String] = [:]
    var permissions: [String] = []
    var tools: [String] = []

    var testDescription: String { name }
}

private let table: [Recovered] = [
    Recovered(name: "nothing", steps: [], wasKilled: false),
    Recovered(name: "accepted", steps: [.text("a"), .text("b")], inputs: ["a accepted", "b accepted"]),
    Recovered(name: "half typed", steps: [.text("a"), .delivering(1)], inputs: ["a delivering"]),
    Recovered(
        name: "typed and not taken", steps: [.text("a"), .delivering(1), .delivered(1)], inputs: ["a delivered"]),
    Recovered(
        name: "typed and taken long ago",
        steps: [
            .text("a"), .delivering(1), .delivered(1), .event(.turnStarted), .event(.turnCompleted), .output(after: 60),
        ]),
    Recovered(
        name: "typed, and killed right after the turn that it began",
        steps: [.text("a"), .delivering(1), .delivered(1), .event(.turnStarted), .event(.turnCompleted)],
        inputs: ["a delivered"]),
    Recovered(
        name: "typed, and killed in the turn that it began",
        steps: [.text("a"), .delivering(1), .delivered(1), .event(.turnStarted), .output(after: 600)],
        inputs: ["a delivered"], turnIsOpen: true),
    Recovered(
        name: "typed long ago and never taken",
        steps: [.text("/help"), .delivering(1), .delivered(1), .output(after: 60)]),
    Recovered(
        name: "typed into a turn that never ended",
        steps: [
            .event(.turnStarted), .text("a"), .delivering(2), .delivered(2), .output(after: 600),
        ], inputs: ["a delivered"], turnIsOpen: true),
    Recovered(
        name: "typed into a turn that ended long ago",
        steps: [
            .event(.turnStarted), .text("a"), .delivering(2), .delivered(2), .event(.turnCompleted),
            .output(after: 60),
        ]),
    Recovered(
        name: "the answer to a question",
        steps: [
            .event(.turnStarted), .event(.permissionRequested), .text("1"), .delivering(3), .delivered(3),
        ], turnIsOpen: true, permissions: [" -"]),
    Recovered(
        name: "tools and permissions, some at their end",
        steps: [
            .event(.turnStarted), .other(.toolStarted, ["tool_use_id": "1", "tool_name": "Bash"]),
            .other(.toolStarted, ["tool_use_id": "2", "tool_name": "Read"]),
            .other(.permissionRequested, ["id": "a", "tool_name": "Bash"]), .other(.permissionRequested, ["id": "b"]),
            .other(.permissionResolved, ["id": "a"]), .other(.toolCompleted, ["tool_use_id": "1"]),
        ], turnIsOpen: true, permissions: ["b -"], tools: ["1 Bash ended", "2 Read open"]),
    Recovered(
        name: "a draft that was typed",
        steps: [.text("a", submit: false), .delivering(1), .delivered(1)]),
    Recovered(
        name: "a draft that was half typed", steps: [.text("a", submit: false), .delivering(1)],
        inputs: ["a delivering"]),
    Recovered(
        name: "a draft that was half typed, then keys",
        steps: [.text("a", submit: false), .delivering(1), .keys]),
    Recovered(name: "keys", steps: [.keys, .keys]),
    Recovered(
        name: "found in the transcript", steps: [.text("a"), .delivering(1), .delivered(1, found: true)]),
    Recovered(
        name: "messages, the last a subagent's",
        steps: [
            .message(["text": "a", "uuid": "1"]), .message(["text": "\"uuid\":3", "uuid": "2"]),
            .message(["text": "\"uuid\":4"]),
        ], lastMessage: "2"),
    Recovered(
        name: "prompts that were merged into one turn", steps: [.turn(of: ["a"]), .turn(of: ["b", "c", "d"])],
        turnIsOpen: true, mergedPrompts: ["b": "d", "c": "d"]),
    Recovered(
        name: "a prompt whose turn was interrupted, and one that waited",
        steps: [
            .prompt("a"), .prompt("b"), .delivering(1), .delivered(1), .event(.turnStarted), .delivering(2),
            .interrupted([1]),
        ], inputs: ["b delivering"]),
    Recovered(
        name: "parked", steps: [.text("a"), .delivering(1), .delivered(1), .text("b"), .closed(onRequest: true)],
        inputs: ["b accepted"], wasKilled: false),
    Recovered(
        name: "the program crashed",
        steps: [.text("a"), .delivering(1), .delivered(1), .closed(onRequest: false)], inputs: ["a delivered"],
        wasKilled: false),
]

@Suite struct JournalRecoveryTests {
    @Test(arguments: table.indices) func findsWhatIsUnfinished(index: Int) async throws {
        let row = table[index]
        let folder = try JournalFolder()
        try await folder.use { journal in
            var time = Date(timeIntervalSince1970: 1_800_000_000)
            for step in row.steps {
                time += 0.1
                switch step {
                case .text(let words, let submit):
                    _ = try journal.append(input: text(words, submit: submit), at: time)
                case .keys:
                    _ = try journal.append(
                        input: AcceptedInput(content: .keys(ByteBuffer(string: "x")), sender: "ann"), at: time)
                case .delivering(let seq): try journal.append(delivering: seq, at: time)
                case .delivered(let seq, let found):
                    _ = try journal.append(
                        event: .inputDelivered, data: ["input_seq": .integer(Int64(seq)), "found": .bool(found)],
                        at: time)
                case .event(let type): _ = try journal.append(event: type, data: [:], at: time)
                case .message(let data): _ = try journal.append(event: .messageAssistant, data: data, at: time)
                case .other(let type, let data): _ = try journal.append(event: type, data: data, at: time)
                case .turn(let prompts):
                    _ = try journal.append(event: .turnStarted, data: ["prompt_ids": .array(prompts)], at: time)
                case .prompt(let words):
                    _ = try journal.append(
                        input: AcceptedInput(content: .prompt(words, images: []), sender: "ann"), at: time)
                case .interrupted(let prompts):
                    let names = prompts.map { PromptID(session: folder.session, seq: $0).description }
                    _ = try journal.append(
                        event: .turnCompleted,
                        data: ["outcome": "interrupted", "prompt_ids": .array(names.map { .string($0) })], at: time)
                case .output(let after):
                    time += after
                    try journal.append(output: ByteBuffer(string: "."), at: time)
                case .closed(let onRequest): journal.close(onRequest: onRequest)
                }
            }
        }
        let recovery = try await folder.use(incarnation: 2) { $0.recovery }
        #expect(recovery.inputs.map { "\($0.text) \($0.stage)" } == row.inputs, "\(row.name)")
        #expect(recovery.turnIsOpen == row.turnIsOpen, "\(row.name)")
        #expect(recovery.wasKilled == row.wasKilled, "\(row.name)")
        #expect(recovery.lastMessage == row.lastMessage, "\(row.name)")
        #expect(recovery.mergedPrompts == row.mergedPrompts, "\(row.name)")
        #expect(recovery.permissions.map { "\($0.id) \($0.tool ?? "-")" } == row.permissions, "\(row.name)")
        let tools = recovery.tools.map { "\($0.id) \($0.name) \($0.isOpen ? "open" : "ended")" }
        #expect(tools == row.tools, "\(row.name)")
    }

    @Test func theNextIncarnationKnowsWhichToolsWereTold() async throws {
        let folder = try JournalFolder()
        let tool: JSONValue = [
            "tool_use_id": "t1", "tool_name": "Bash", "tool_input": ["command": "ls", "timeout": 5],
        ]
        try await folder.use(incarnation: 1) { journal in
            _ = try journal.append(event: .toolStarted, data: tool, at: Date())
            _ = try journal.append(event: .toolCompleted, data: ["tool_use_id": "t1"], at: Date())
        }
        var told = try await folder.use(incarnation: 2) { $0.recovery.toldTools }
        let isNews = told.add(tool)
        #expect(!isNews)
        let isOtherNews = told.add([
            "tool_use_id": "t2", "tool_name": "Bash", "tool_input": ["command": "ls", "timeout": 5],
        ])
        #expect(isOtherNews)
    }
}
