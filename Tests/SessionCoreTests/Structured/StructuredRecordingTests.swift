import ClaudeCode
import Foundation
import SessionCore
import Testing

/// What Claude Code really said (Tests/Recordings/structured, made by running it), and what follows from it.
@Suite struct StructuredRecordingTests {
    /// Each `<name>.jsonl` is what was said, and `<name>.events` what is to be told.
    @Test(arguments: Replay.names)
    func whatIsToldFollowsFromWhatClaudeCodeSaid(_ name: String) throws {
        let wanted = try String(contentsOfFile: "\(Replay.folder)/\(name).events", encoding: .utf8)
        let told = try Replay(name).events.joined(separator: "\n") + "\n"
        #expect(told == wanted)
    }

    @Test(arguments: ["tool", "tools"])
    func aToolThatIsSaidAgainIsToldOnce(_ name: String) throws {
        let replay = try Replay(name)
        var engine = StructuredEngine(at: Date())
        let text = try String(contentsOfFile: "\(Replay.folder)/\(name).jsonl", encoding: .utf8)
        let messages = text.split(separator: "\n").compactMap { StreamMessage(parsing: Data($0.utf8)) }
        // All of a turn once more before its end.
        let again = messages.filter {
            switch $0 {
            case .assistant, .user: true
            default: false
            }
        }
        let turn = messages.filter { if case .result = $0 { false } else { true } }
        let told = (turn + again).flatMap { engine.handle($0, at: Date()) }
        for type in [EventType.toolStarted, .toolCompleted] {
            #expect(told.count { $0.type == type } == replay.derived.count { $0.type == type }, "\(type)")
        }
    }

    @Test(arguments: Replay.names)
    func everyTurnThatBeginsEndsOnceAndLeavesNothingOpen(_ name: String) throws {
        let replay = try Replay(name)
        var open = false
        for event in replay.derived {
            switch event.type {
            case .turnStarted:
                #expect(!open)
                open = true
            case .turnCompleted:
                #expect(open)
                open = false
            default: break
            }
        }
        #expect(!open)
        #expect(replay.engine.view.activity == .idle)
        #expect(replay.engine.view.tools.isEmpty)
        #expect(replay.engine.prompts.isEmpty)
    }
}

/// A recording fed to the engine, as a worker does it.
struct Replay {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Recordings/structured").standardized.path

    static let names = [
        "normal", "twice", "tool", "tools", "denial", "denial_interrupt", "interrupt", "interrupt_permission", "merged",
        "absorbed", "api_error", "retry", "background", "question", "killed", "resumed", "no_conversation",
    ]

    private(set) var engine = StructuredEngine(at: Date())
    private(set) var derived: [DerivedEvent] = []
    private var ledger = PermissionLedger()

    init(_ name: String) throws {
        let text = try String(contentsOfFile: "\(Self.folder)/\(name).jsonl", encoding: .utf8)
        for line in text.split(separator: "\n") {
            if line.hasPrefix("> ") { sent(JSONValue(parsing: String(line.dropFirst(2))) ?? .null) } else { said(line) }
        }
        for question in ledger.open { resolve(question.id, .withdrawn) }
        derived += engine.end(at: Date())
    }

    private mutating func sent(_ line: JSONValue) {
        switch line["type"]?.string {
        case "user":
            derived += engine.give(
                line["uuid"]?.string ?? "", line["message"]?["content"]?.string ?? "", by: "ann", at: Date())
        case "control_response":
            let id = line["response"]?["request_id"]?.string ?? ""
            resolve(id, line["response"]?["response"]?["behavior"] == "allow" ? .allowed : .denied)
        default: break
        }
    }

    private mutating func said(_ line: Substring) {
        guard let message = StreamMessage(parsing: Data(line.utf8)) else { return }
        derived += engine.handle(message, at: Date())
        switch message {
        case .permission(let permission):
            let question = PermissionLedger.Question(
                id: permission.id, toolName: permission.toolName, input: JSONValue(parsing: permission.input),
                toolUseID: permission.toolUseID, since: Date())
            guard ledger.ask(question) else { return }
            derived += engine.asked(ledger.open, at: Date())
            derived.append(DerivedEvent(.permissionRequested, question.data))
        case .questionWithdrawn(let id): resolve(id, .withdrawn)
        case .user(let user):
            // One that the program had before.
            let known = engine.prompts.first { $0.id == user.id && !$0.isBegun && !$0.isNew }
            if user.isReplay, let id = known?.id {
                derived += engine.drop(id, at: Date())
            }
        default: break
        }
    }

    private mutating func resolve(_ id: String, _ outcome: PermissionLedger.Resolution.Outcome) {
        guard let data = ledger.resolve(id, .init(outcome, way: .client, at: Date())) else { return }
        derived.append(DerivedEvent(.permissionResolved, data))
        derived += engine.asked(ledger.open, at: Date())
    }

    /// What matters of each event, in one line.
    var events: [String] {
        derived.compactMap { event in
            let data = event.data
            func list(_ name: String) -> String {
                (data[name]?.array ?? []).compactMap { $0.string?.suffix(1) }.joined(separator: ",")
            }
            switch event.type {
            case .messageDelta, .sessionSettings, .usageUpdated: return nil
            case .sessionActivity: return data["activity"]?.string
            case .turnStarted: return "turn of \(list("prompt_ids"))"
            case .turnCompleted:
                return "turn of \(list("prompt_ids")) \(data["outcome"]?.string ?? "")"
                    + (data["reason"]?.string.map { ": \($0)" } ?? "")
            case .toolStarted: return "tool \(data["tool_name"]?.string ?? "")"
            case .toolCompleted:
                let failed = data["is_error"] == true ? " failed" : ""
                return "tool \(data["tool_name"]?.string ?? "") ended" + failed
            case .permissionRequested: return "asks for \(data["tool_name"]?.string ?? "")"
            case .permissionResolved: return "\(data["tool_name"]?.string ?? "") \(data["resolution"]?.string ?? "")"
            case .messageUser: return "user: \(data["text"]?.string?.prefix(12) ?? "")"
            case .messageAssistant: return "says: \(data["text"]?.string?.prefix(12) ?? "")"
            case .promptQueued: return "waits: \(data["prompt_id"]?.string?.suffix(1) ?? "")"
            case .turnRetrying: return "retries after \(data["status"]?.integer ?? 0)"
            default: return event.type.rawValue
            }
        }
    }
}
