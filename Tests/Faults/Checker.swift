import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// Looks at what is really there after a fault: the conversation as Claude Code stored it, the journal, the registry, the
/// processes.
struct Checker {
    let rookery: Rookery

    /// What Claude Code has stored of a session's conversation: the person's messages, in order.
    func said(in session: String) -> [String] {
        lines(of: session).compactMap { ["user", "attachment"].contains($0["type"]?.string) ? text(of: $0) : nil }
    }

    private func lines(of session: String) -> [JSONValue] {
        let file = rookery.path("/home/agent/.claude/projects/-workspace/\(session).jsonl", of: session)
        let text = FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return text.split(separator: "\n").compactMap { JSONValue(parsing: String($0), limit: 16 << 20) }
    }

    private func text(of line: JSONValue) -> String? {
        // What a running turn took in.
        if let attachment = line["attachment"] {
            return attachment["type"]?.string == "queued_command" ? attachment["prompt"]?.string : nil
        }
        guard let content = line["message"]?["content"] else { return nil }
        return content.string ?? content.array?.compactMap { $0["text"]?.string }.joined(separator: "\n")
    }

    /// Waits until a session's conversation has a token.
    func waitUntilSaid(_ token: String, in session: String) async throws {
        do {
            try await eventually("\(token) in the conversation", within: .seconds(90)) {
                if said(in: session).contains(where: { $0.contains(token) }) { return true }
                try await resumeIfFailed(session)
                return nil
            }
        } catch let error as TimedOut {
            let record = try? await rookery.api.session(session)
            let screen = (try? await rookery.api.screen(session)) ?? ""
            throw TimedOut(what: "\(error.what); session \(record ?? .null); screen:\n\(screen)")
        }
    }

    func waitUntilRunning(_ session: String) async throws {
        try await eventually("\(session) to run", within: .seconds(60)) {
            try await resumeIfFailed(session)
            return try await rookery.api.session(session)["lifecycle"]?.string == "running" ? true : nil
        }
    }

    /// A session whose program is killed too often in a row is left down, and says so: its owner has it go on.
    func resumeIfFailed(_ session: String) async throws {
        let record = try await rookery.api.session(session)
        guard record["lifecycle"]?.string == "failed" else { return }
        #expect(record["reason"]?.string == "crashed")
        _ = try await rookery.api.post("/v1/sessions/\(session)/resume")
    }

    /// Every acknowledged input once, in order; nothing that nobody typed.
    func checkConversation(_ typist: Typist, at location: SourceLocation = #_sourceLocation) {
        let said = said(in: typist.session).joined(separator: "\n")
        let tokens = said.matches(of: /tok-[0-9a-f]{6}-[0-9]+-end/).map { String($0.output) }
        #expect(tokens == typist.acknowledged.map(\.token), sourceLocation: location)
        let numbers = typist.acknowledged.map(\.seq)
        #expect(numbers == numbers.sorted() && Set(numbers).count == numbers.count, sourceLocation: location)
    }

    /// Every event has its number once and in order, and each acknowledged input is among them under its own.
    func checkEvents(_ typist: Typist, at location: SourceLocation = #_sourceLocation) async throws {
        let last = try #require(typist.acknowledged.last)
        let events = try await rookery.api.events(
            "/v1/sessions/\(typist.session)/events?since=0"
        ) { $0.contains { ($0["seq"]?.integer ?? 0) >= last.seq } }
        let numbers = events.compactMap { $0["seq"]?.integer }
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy(<), sourceLocation: location)
        #expect(!events.contains { $0["type"]?.string == "gap" }, sourceLocation: location)
        let inputs = events.filter { $0["type"]?.string == "input.accepted" }
        #expect(
            inputs.compactMap { $0["data"]?["client_id"]?.string } == typist.acknowledged.map(\.token),
            sourceLocation: location)
        #expect(inputs.compactMap { $0["seq"]?.integer } == typist.acknowledged.map(\.seq), sourceLocation: location)
    }

    /// Every message that Claude Code has stored is an event, once and in order; every tool that was told of began once and
    /// came to its end once.
    func checkMessages(of session: String, at location: SourceLocation = #_sourceLocation) async throws {
        let stored = lines(of: session).filter { line in
            guard line["isMeta"]?.bool != true, line["isSidechain"]?.bool != true else { return false }
            let said = text(of: line) ?? ""
            switch line["type"]?.string {
            case "user": return !said.isEmpty && !said.hasPrefix("[Request interrupted by user")
            case "assistant", "attachment": return !said.isEmpty
            default: return false
            }
        }
        let last = try #require(stored.last?["uuid"]?.string, sourceLocation: location)
        // The last turn's tools ended before its last words.
        let told = try await rookery.api.events("/v1/sessions/\(session)/events?since=0") {
            $0.contains { $0["data"]?["uuid"]?.string == last }
        }
        let numbers = told.compactMap { $0["seq"]?.integer }
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy(<), sourceLocation: location)
        func values(_ name: String, of types: String...) -> [String] {
            told.filter { types.contains($0["type"]?.string ?? "") }.compactMap { $0["data"]?[name]?.string }
        }
        #expect(
            values("uuid", of: "message.user", "message.assistant") == stored.compactMap { $0["uuid"]?.string },
            sourceLocation: location)
        let begun = values("tool_use_id", of: "tool.started")
        let calls = Dictionary(grouping: told.filter { $0["data"]?["tool_use_id"]?.string != nil }) {
            $0["data"]?["tool_use_id"]?.string ?? ""
        }
        for call in calls.values where !Self.isToldOnce(call) {
            // With what lies between, for whoever has to find out why.
            let between = told.drop { $0["seq"] != call.first?["seq"] }.prefix(20).map { "\($0)" }
            Issue.record("doubled: \(between.joined(separator: "\n"))", sourceLocation: location)
        }
        #expect(values("tool_use_id", of: "tool.completed").sorted() == begun.sorted(), sourceLocation: location)
    }

    /// Whether a call began once. One whose answer was cut off in the middle Claude Code gives up, and tries again from what
    /// it has of it, under the same id: then it begins again after its end. Seen once, as the supervisor was killed.
    private static func isToldOnce(_ events: [JSONValue]) -> Bool {
        var isOpen = false
        var wasGivenUp = true
        for event in events {
            switch event["type"]?.string {
            case "tool.started":
                guard !isOpen, wasGivenUp else { return false }
                isOpen = true
            case "tool.completed":
                guard isOpen else { return false }
                isOpen = false
                wasGivenUp = event["data"]?["interrupted"]?.bool == true
            default: break
            }
        }
        return true
    }

    /// Every byte that a client was shown of a terminal can be played again.
    func checkRecording(of session: String, has seen: [[UInt8]], at location: SourceLocation = #_sourceLocation)
        async throws
    {
        let recording = try await rookery.api.get("/v1/sessions/\(session)/recording")
        #expect(recording.status == 200, sourceLocation: location)
        let output = recording.text.split(separator: "\n").dropFirst().compactMap { line -> String? in
            let parts = JSONValue(parsing: String(line))?.array
            return parts?[1].string == "o" ? parts?[2].string : nil
        }
        let played = Data(output.joined().utf8)
        #expect(!seen.isEmpty, sourceLocation: location)
        for bytes in seen {
            // A connection may begin and end within a character.
            let end = bytes.lastIndex { $0 & 0xc0 != 0x80 } ?? 0
            let whole = bytes[..<end].drop { $0 & 0xc0 == 0x80 }
            #expect(played.range(of: Data(whole)) != nil, "\(whole.count) bytes", sourceLocation: location)
        }
    }

    /// What the API says of a session is what runs: one worker and one sandbox, or none.
    func checkProcesses(of session: String, at location: SourceLocation = #_sourceLocation) async throws {
        let lifecycle = try await rookery.api.session(session)["lifecycle"]?.string
        let workers = rookery.processes(of: session).filter { $0.command.contains("rookery-worker") }
        #expect(workers.count == (lifecycle == "running" ? 1 : 0), "\(lifecycle ?? "-")", sourceLocation: location)
    }
}
