import ClaudeCode
import Foundation
import Testing

@Suite struct StatusFileTests {
    @Test(arguments: [
        (#"{"status":"idle"}"#, StatusFile.Status.idle), (#"{"status":"busy"}"#, .busy),
        (#"{"status":"shell"}"#, .shell),
        (#"{"status":"waiting","waitingFor":"permission prompt"}"#, .waiting("permission prompt")),
        (#"{"status":"waiting"}"#, .waiting(nil)), (#"{"status":"dreaming"}"#, .unknown("dreaming")),
    ])
    func readsTheStatus(_ text: String, _ status: StatusFile.Status) {
        #expect(StatusFile(parsing: Data(text.utf8))?.status == status)
    }

    @Test func readsWhoWroteIt() throws {
        let text = """
            {"pid":7,"sessionId":"bca15e5f","cwd":"/workspace","startedAt":1795236750337,"procStart":"199630",\
            "version":"2.1.329","kind":"interactive","status":"busy","statusUpdatedAt":1795236752567}
            """
        let file = try #require(StatusFile(parsing: Data(text.utf8)))
        #expect(file.pid == 7)
        #expect(file.processStart == "199630")
        #expect(file.kind == "interactive")
        #expect(file.updatedAt == Date(timeIntervalSince1970: 1_795_236_752.567))
        // A torn read: no prefix of it is a report.
        for length in 0..<text.utf8.count { #expect(StatusFile(parsing: Data(text.utf8.prefix(length))) == nil) }
    }

    @Test(arguments: ["", "[]", "null", #"{"pid":1}"#, #"{"status":5}"#, "\u{0}"])
    func refusesWhatIsNoReport(_ text: String) {
        #expect(StatusFile(parsing: Data(text.utf8)) == nil)
    }

    @Test func refusesAnOversizedFile() {
        let text = #"{"status":"idle","x":""# + String(repeating: "y", count: 70_000) + #""}"#
        #expect(StatusFile(parsing: Data(text.utf8)) == nil)
    }
}

@Suite struct HookReportTests {
    @Test func readsARequestForPermission() throws {
        let body = """
            {"session_id":"965a","transcript_path":"/x.jsonl","cwd":"/workspace","prompt_id":"942b",\
            "permission_mode":"default","effort":{"level":"medium"},"hook_event_name":"PermissionRequest",\
            "tool_name":"Bash","tool_input":{"command":"touch a.txt","description":"d"},\
            "permission_suggestions":[{"type":"setMode","mode":"acceptEdits","destination":"session"}]}
            """
        let report = try #require(HookReport(parsing: Data(body.utf8), expected: .permissionRequest))
        #expect(report.event == .permissionRequest)
        #expect(report.toolName == "Bash")
        #expect(report.toolUseID == nil)
        #expect(report.toolInput == #"{"command":"touch a.txt","description":"d"}"#)
        #expect(report.promptID == "942b")
        #expect(HookReport(parsing: Data(body.utf8), expected: .stop) == nil)
    }

    @Test func readsAFailedTurn() throws {
        let body = #"{"hook_event_name":"StopFailure","error":"unknown","last_assistant_message":"API Error: 400"}"#
        let report = try #require(HookReport(parsing: Data(body.utf8)))
        #expect(report.message == "API Error: 400")
        #expect(report.error == "unknown")
    }

    @Test(arguments: ["", "{}", #"{"hook_event_name":"Nonsense"}"#, #"{"hook_event_name":"Stop""#, "[1]"])
    func refusesWhatIsNoReport(_ body: String) {
        #expect(HookReport(parsing: Data(body.utf8)) == nil)
    }
}

@Suite struct TranscriptTests {
    @Test(arguments: [
        (#"{"type":"user","message":{"role":"user","content":"SAY hi"}}"#, [TranscriptItem.userText("SAY hi")]),
        (
            #"{"type":"attachment","attachment":{"type":"queued_command","prompt":"SAY more","source_uuid":"u","commandMode":"prompt"}}"#,
            [.absorbedText("SAY more")]
        ),
        (#"{"type":"attachment","attachment":{"type":"todo"}}"#, []),
        (
            #"{"type":"assistant","message":{"content":[{"type":"text","text":"a"},{"type":"thinking","thinking":"b"},{"type":"tool_use","id":"t","name":"Bash","input":{"command":"ls"}}]}}"#,
            [.assistantText("a"), .thinking("b"), .toolUse(id: "t", name: "Bash", input: #"{"command":"ls"}"#)]
        ),
        (
            #"{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t","content":"no","is_error":true},{"type":"text","text":"[Request interrupted by user for tool use]"}]}}"#,
            [.toolResult(id: "t", isError: true, text: "no"), .stop(.interrupted(duringTool: true))]
        ),
        (
            #"{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"x"}]}]}}"#,
            [.toolResult(id: "t", isError: false, text: "x")]
        ),
        (
            #"{"type":"user","message":{"content":[{"type":"text","text":"[Request interrupted by user]"}]}}"#,
            [.stop(.interrupted(duringTool: false))]
        ),
        (#"{"type":"system","subtype":"stop_hook_summary","stopReason":""}"#, [.stop(.ended)]),
        (#"{"type":"system","subtype":"turn_duration"}"#, [.stop(.ended)]),
        (#"{"type":"system","subtype":"local_command","content":"x"}"#, []),
        (#"{"type":"summary","summary":"x"}"#, []), (#"{"type":"user","isMeta":true,"message":{"content":"x"}}"#, []),
        (#"{"type":"assistant","isSidechain":true,"message":{"content":[{"type":"text","text":"a"}]}}"#, []),
        (#"{"type":"user","mess"#, []), ("", []), (#"{"type":"user"}"#, []),
        (#"{"type":"assistant","message":{"content":[7,{}]}}"#, []),
    ])
    func readsALine(_ line: String, _ items: [TranscriptItem]) {
        #expect(TranscriptLine(parsing: Data(line.utf8)).items == items)
    }

    /// The names are those the CLI made.
    @Test(arguments: [
        ("/workspace", "-workspace"), ("/home/agent/my.project_1", "-home-agent-my-project-1"),
        ("/tmp/core-h/p/a.b_ü日😀 x", "-tmp-core-h-p-a-b------x"),
        (
            "/tmp/core-h/p/" + String(repeating: "longname", count: 30),
            "-tmp-core-h-p-" + String(repeating: "longname", count: 23) + "lo-na8f5t"
        ),
    ])
    func namesAProjectAsTheCLIDoes(_ directory: String, _ slug: String) {
        #expect(TranscriptPath.slug(of: directory) == slug)
    }
}
