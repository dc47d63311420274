import Dialects
import Foundation
import SessionCore
import Testing

/// Seed-protocols 3.3: messages either way.
struct CompanionMessageTests {
    @Test(
        "every message of a browser is understood",
        arguments: [
            (#"{"type":"user_message","content":"hi"}"#, .userMessage("hi", images: [])),
            (
                #"{"type":"user_message","content":"","images":[{"media_type":"image/png","data":"aGk="}]}"#,
                .userMessage("", images: [PromptImage(mediaType: "image/png", data: "aGk=")])
            ),
            (
                #"{"type":"permission_response","request_id":"r","behavior":"allow","updated_input":{"a":1},"updated_permissions":[{}]}"#,
                .permissionResponse(
                    CompanionPermissionAnswer(
                        request: "r", allowed: true, updatedInput: ["a": 1], updatedPermissions: [[:]]))
            ),
            (
                #"{"type":"permission_response","request_id":"r","behavior":"deny","message":"no"}"#,
                .permissionResponse(CompanionPermissionAnswer(request: "r", allowed: false, message: "no"))
            ),
            (#"{"type":"session_subscribe","last_seq":17}"#, .subscribe(lastSeq: 17)),
            (#"{"type":"session_subscribe"}"#, .subscribe(lastSeq: 0)),
            (#"{"type":"session_ack","last_seq":17}"#, .acknowledge(lastSeq: 17)),
            (#"{"type":"interrupt"}"#, .interrupt), (#"{"type":"end_session"}"#, .endSession),
            (#"{"type":"stop_task","task_id":"t"}"#, .stopTask("t")),
            (#"{"type":"set_model","model":"opus"}"#, .setModel("opus")),
            (#"{"type":"set_permission_mode","mode":"plan"}"#, .setPermissionMode("plan")),
            (#"{"type":"mcp_get_status"}"#, .mcpStatus),
            (#"{"type":"mcp_toggle","serverName":"x","enabled":false}"#, .mcpToggle(server: "x", enabled: false)),
            (#"{"type":"mcp_reconnect","serverName":"x"}"#, .mcpReconnect(server: "x")),
            (#"{"type":"mcp_set_servers","servers":{}}"#, .unsupported("mcp_set_servers")),
            (#"{"type":"hello","protocol":"seed"}"#, .hello(seed: true)),
        ] as [(String, CompanionBrowserMessage.Content)])
    func understood(text: String, expected: CompanionBrowserMessage.Content) throws {
        #expect(try CompanionBrowserMessage(parsing: text).content == expected)
    }

    @Test("a message may carry an id of its client's")
    func clientID() throws {
        #expect(try CompanionBrowserMessage(parsing: #"{"type":"interrupt","client_msg_id":"m1"}"#).clientID == "m1")
    }

    @Test(
        "what is wrong is refused, and says why",
        arguments: [
            ("hello", ClientMessageError.notAnObject), ("[]", .notAnObject), (#""text""#, .notAnObject),
            (#"{"type":"nonsense"}"#, .unknownType("nonsense")), (#"{"content":"x"}"#, .unknownType(nil)),
            (#"{"type":"user_message"}"#, .badField("content", "is missing")),
            (#"{"type":"user_message","content":null}"#, .badField("content", "is missing")),
            (#"{"type":"user_message","content":["x"]}"#, .badField("content", "must be a string")),
            (#"{"type":"user_message","content":"x","images":{}}"#, .badField("images", "must be an array")),
            (
                #"{"type":"permission_response","request_id":"r","behavior":"maybe"}"#,
                .badField("behavior", "must be 'allow' or 'deny'")
            ),
            (#"{"type":"permission_response","behavior":"allow"}"#, .badField("request_id", "is missing")),
            (
                #"{"type":"permission_response","request_id":"r","behavior":"allow","updated_input":[]}"#,
                .badField("updated_input", "must be an object")
            ),
            (
                #"{"type":"session_subscribe","last_seq":-1}"#,
                .badField("last_seq", "must be a whole number of 0 to 9007199254740992")
            ),
            (
                #"{"type":"session_subscribe","last_seq":1.5}"#,
                .badField("last_seq", "must be a whole number of 0 to 9007199254740992")
            ),
            (#"{"type":"mcp_toggle","serverName":"x","enabled":"yes"}"#, .badField("enabled", "must be true or false")),
        ])
    func refused(text: String, expected: ClientMessageError) {
        #expect(throws: expected) { try CompanionBrowserMessage(parsing: text) }
    }

    @Test("messages are written as Companion writes them")
    func written() {
        let time = Date(timeIntervalSince1970: 1.5)
        let call = ToolCall(id: "t", name: "Bash")
        let cases: [(CompanionServerMessage, String)] = [
            (.cliConnected, #"{"seq":5,"type":"cli_connected"}"#),
            (
                .phase(.ready, previous: .starting),
                #"{"phase":"ready","previousPhase":"starting","seq":5,"type":"session_phase"}"#
            ),
            (.statusChange(nil), #"{"seq":5,"status":null,"type":"status_change"}"#),
            (.permissionCancelled("r"), #"{"request_id":"r","seq":5,"type":"permission_cancelled"}"#),
            (
                .userMessage("hi", id: "u", time: time),
                #"{"content":"hi","id":"u","seq":5,"timestamp":1500,"type":"user_message"}"#
            ),
            (
                .toolProgress(call, seconds: 2),
                #"{"elapsed_time_seconds":2,"seq":5,"tool_name":"Bash","tool_use_id":"t","type":"tool_progress"}"#
            ),
            (.error("no"), #"{"message":"no","seq":5,"type":"error"}"#),
            (
                .permissionRequest(PermissionQuestion(id: "r", tool: "Bash", input: ["command": "ls"]), time: time),
                #"{"request":{"description":"ls","input":{"command":"ls"},"request_id":"r","timestamp":1500,"tool_name":"Bash","tool_use_id":"r"},"seq":5,"type":"permission_request"}"#
            ),
        ]
        for (message, text) in cases { #expect(CompanionFrame(seq: 5, message).json.text == text) }
    }

    @Test("a CLI's lines are put together from frames, and cut apart")
    func lines() throws {
        var splitter = CompanionLineSplitter()
        let none = try splitter.feed(Array("{\"a\":".utf8))
        #expect(none == [])
        let two = try splitter.feed(Array("1}\n\n{\"b\":2}\n{".utf8))
        #expect(two == [#"{"a":1}"#, #"{"b":2}"#])
        #expect(throws: CompanionLineSplitter.TooLong.self) {
            try splitter.feed(Array(repeating: 0x78, count: CompanionLineSplitter.longest))
        }
    }

    @Test(
        "a creation is checked",
        arguments: [
            (#"{"model":"opus","permissionMode":"plan","cwd":"/x","env":{"A":"b"}}"#, true), ("{}", true),
            (#"{"model":7}"#, false), (#"{"backend":"codex"}"#, false), (#"{"env":{"A":1}}"#, false), ("[]", false),
        ])
    func creation(text: String, isGood: Bool) throws {
        let body = try #require(JSONValue(parsing: text))
        #expect(((try? CompanionCreation(body)) != nil) == isGood)
    }
}

/// Seed-protocols 3.4.
struct CompanionSessionTests {
    private let time = Date(timeIntervalSince1970: 1_767_225_600)

    private func session(_ facts: [ConversationFact] = []) -> CompanionSession {
        var session = CompanionSession(CompanionFacts(id: SessionID(), model: "opus"))
        for (index, fact) in facts.enumerated() {
            _ = session.apply(ConversationEvent(seq: UInt64(index + 1), time: time, fact: fact))
        }
        return session
    }

    private func types(_ frames: [CompanionFrame]) -> [String] { frames.compactMap { $0.json["type"]?.string } }

    @Test("a browser is told the session, its history and its open permissions when it comes")
    func opening() {
        let question = PermissionQuestion(id: "p", tool: "Bash", input: [:])
        let asleep = session()
        #expect(types(asleep.opening) == ["session_init", "cli_disconnected"])
        let awake = session([
            .lifecycle(.running, detail: nil), .user(text: "hi", id: nil), .permissionAsked(question),
        ])
        #expect(types(awake.opening) == ["session_init", "message_history", "permission_request"])
        #expect(awake.opening[0].json["session"]?["model"] == "opus")
        #expect(awake.phase == .awaitingPermission)
        var resolved = awake
        _ = resolved.apply(
            ConversationEvent(seq: 9, time: time, fact: .permissionResolved(id: "p", allowed: true, by: nil)))
        #expect(types(resolved.opening) == ["session_init", "message_history"])
        #expect(resolved.question("p") == nil)
    }

    @Test("numbers rise strictly, and one event's messages have their own")
    func numbers() {
        var session = session()
        var last: UInt64 = 0
        let call = ToolCall(id: "t", name: "Bash")
        let facts: [ConversationFact] = [
            .lifecycle(.running, detail: nil), .activity(.working), .toolStarted(call),
            .toolEnded(call, isError: false, text: "out"), .assistant(text: "x"),
            .turnEnded(TurnSummary(outcome: "completed", cost: 0.25)), .activity(.idle),
        ]
        var told: [String] = []
        for (index, fact) in facts.enumerated() {
            for frame in session.apply(ConversationEvent(seq: UInt64(index + 1), time: time, fact: fact)) {
                let seq = frame.seq ?? 0
                #expect(seq > last)
                last = seq
                told.append(frame.json["type"]?.string ?? "")
            }
        }
        #expect(
            told == [
                "cli_connected", "session_phase", "status_change", "session_phase", "assistant", "tool_progress",
                "system_event", "assistant", "result", "session_update", "status_change", "session_phase",
            ])
        #expect(session.state["total_cost_usd"] == .number(0.25))
    }

    @Test("a browser that comes back is told what it missed, each message once")
    func resumption() {
        let session = session([.lifecycle(.running, detail: nil), .user(text: "a", id: nil), .assistant(text: "b")])
        let all = session.resumption(after: 0)
        guard case .eventReplay(let frames)? = all.first?.message else {
            Issue.record("no replay: \(all)")
            return
        }
        #expect(types(frames) == ["cli_connected", "session_phase", "user_message", "assistant"])
        for (index, frame) in frames.enumerated() {
            let rest = session.resumption(after: frame.seq ?? 0)
            guard case .eventReplay(let missed)? = rest.first?.message else {
                #expect(index == frames.count - 1)
                continue
            }
            #expect(missed == Array(frames[(index + 1)...]))
        }
    }

    @Test("after a gap comes the history, and of what is not in it what is still there")
    func gap() {
        var facts: [ConversationFact] = [.lifecycle(.running, detail: nil)]
        for index in 0..<700 { facts.append(index == 650 ? .delta(text: "d") : .user(text: "\(index)", id: nil)) }
        let session = session(facts)
        let frames = session.resumption(after: 20)
        #expect(types(frames) == ["message_history", "event_replay"])
        #expect(frames[0].json["messages"]?.array?.count == 699)
        #expect(frames[1].json["events"]?.array?.map { $0["message"]?["type"]?.string } == ["stream_event"])
        // Not behind: what it missed and nothing else.
        let late = session.resumption(after: 690 * 16)
        #expect(types(late) == ["event_replay"])
        #expect(late[0].json["events"]?.array?.count == 11)
    }

    @Test("a hole in the session's own log is a gap for every browser from before it")
    func logGap() {
        let session = session([.user(text: "a", id: nil), .gap, .user(text: "b", id: nil)])
        #expect(types(session.resumption(after: 16)) == ["message_history"])
        #expect(types(session.resumption(after: 47)) == ["event_replay"])
    }

    @Test("the same message of a browser twice is one message, for a thousand messages")
    func twice() {
        var session = session()
        for (id, isNew) in [(nil, true), (nil, true), ("a", true), ("a", false)] as [(String?, Bool)] {
            let found = session.isNew(id)
            #expect(found == isNew)
        }
        for index in 0..<1000 { _ = session.isNew("m\(index)") }
        let (forgotten, known) = (session.isNew("a"), session.isNew("m999"))
        #expect(forgotten)
        #expect(!known)
    }

    @Test("the session's end cancels its permissions")
    func end() {
        let question = PermissionQuestion(id: "p", tool: "Bash", input: [:])
        var session = session([.lifecycle(.running, detail: nil), .permissionAsked(question)])
        let frames = session.apply(ConversationEvent(seq: 9, time: time, fact: .lifecycle(.failed, detail: "why")))
        #expect(types(frames) == ["permission_cancelled", "cli_disconnected", "error", "session_phase"])
        #expect(session.phase == .terminated)
    }

    @Test("on request everything has the seed's names")
    func seed() {
        var session = session()
        var seed = CompanionSeed(session.facts.id)
        let call = ToolCall(id: "t", name: "Bash", input: ["command": "ls"])
        let question = PermissionQuestion(id: "p", tool: "Bash", input: ["command": "ls"])
        let facts: [ConversationFact] = [
            .lifecycle(.starting, detail: nil), .lifecycle(.running, detail: nil), .user(text: "hi", id: nil),
            .activity(.working), .toolStarted(call), .permissionAsked(question),
            .permissionResolved(id: "p", allowed: true, by: nil), .assistant(text: "x"),
            .turnEnded(TurnSummary(outcome: "completed")), .activity(.idle), .lifecycle(.parked, detail: nil),
        ]
        var told = session.opening.flatMap { seed.messages(for: $0) }
        for (index, fact) in facts.enumerated() {
            let frames = session.apply(ConversationEvent(seq: UInt64(index + 1), time: time, fact: fact))
            told += frames.flatMap { seed.messages(for: $0) }
        }
        let names = told.map { message -> String in
            switch message["type"]?.string {
            case "cli_message": message["message"]?["type"]?.string ?? "?"
            case "session_status": "status:\(message["status"]?.string ?? "?")"
            case let type: type ?? "?"
            }
        }
        #expect(
            names == [
                "session_init", "status:disconnected", "status:starting", "status:idle", "user", "status:running",
                "assistant", "tool_progress", "control_request", "status:awaiting_permission",
                "control_cancel_request", "assistant", "result", "status:idle", "status:disconnected",
                "status:terminated",
            ])
    }

    @Test(
        "a session's state in the list",
        arguments: [
            (Lifecycle.starting, nil, "starting"), (.running, Activity.idle, "connected"),
            (.running, .working, "running"), (.parked, nil, "exited"), (.failed, nil, "exited"),
        ] as [(Lifecycle, Activity?, String)])
    func info(lifecycle: Lifecycle, activity: Activity?, state: String) {
        let info = CompanionSessionInfo(
            facts: CompanionFacts(id: SessionID()), lifecycle: lifecycle, activity: activity, createdAt: time,
            isArchived: false)
        #expect(info.json["state"]?.string == state)
        #expect(info.json["sessionId"] == info.json["id"])
    }
}
