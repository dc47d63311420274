import Foundation
import SessionCore
import Testing

@Suite struct SessionCommandTests {
    @Test(arguments: [
        SessionCommand.prompt(text: "hi", images: [], clientID: nil),
        .prompt(text: "look", images: [PromptImage(mediaType: "image/png", data: "aGk=")], clientID: "c1"),
        .prompt(text: "hi", images: [], clientID: nil, channel: ChannelOrigin(chat: "kitchen")),
        .prompt(
            text: "hi", images: [], clientID: nil, channel: ChannelOrigin(chat: "", user: "ann", time: "2026-01-01")),
        .withdraw(promptID: "p"), .interrupt, .setModel("haiku"), .setPermissionMode("plan"), .rename(title: "t"),
        .mcpStatus, .mcpToggle(server: "s", enabled: false), .mcpReconnect(server: "s"), .permissions, .state,
        .answer(
            PermissionAnswer(
                id: "x", decision: .allow, updatedInput: ["command": "ls"], answers: ["Which?": "Blue"],
                remember: .session)),
        .answer(PermissionAnswer(id: "x", decision: .deny, message: "no", interrupts: true)),
    ])
    func aCommandIsReadAsItWasWritten(_ command: SessionCommand) throws {
        let text = try JSONEncoder.rookery.encode(command)
        #expect(try JSONDecoder.rookery.decode(SessionCommand.self, from: text) == command)
        #expect(try SessionCommand(command.json) == command)
    }

    @Test(arguments: [
        (#"{"type":"dance"}"#, "unknown_command", "dance"),
        (#"[1]"#, "malformed_command", "object"),
        (#"{}"#, "malformed_command", "'type'"),
        (#"{"type":"prompt"}"#, "malformed_command", "'text'"),
        (#"{"type":"prompt","text":7}"#, "malformed_command", "'text'"),
        (#"{"type":"prompt","text":"","channel":"c"}"#, "malformed_command", "'channel'"),
        (#"{"type":"prompt","text":"","channel":{}}"#, "malformed_command", "'chat_id'"),
        (#"{"type":"prompt","text":"","channel":{"chat_id":"c","user":7}}"#, "malformed_command", "'user'"),
        (
            #"{"type":"prompt","text":"","images":[{"media_type":"text/html","data":"aGk="}]}"#, "malformed_command",
            "media_type"
        ),
        (
            #"{"type":"prompt","text":"","images":[{"media_type":"image/png","data":"<\">"}]}"#, "malformed_command",
            "base64"
        ),
        (#"{"type":"answer","permission_id":"a","decision":"maybe"}"#, "malformed_command", "allow or deny"),
        (#"{"type":"answer","permission_id":"a","decision":"deny","updated_input":{}}"#, "malformed_command", "allow"),
        (#"{"type":"mcp_toggle","server":"a","enabled":"yes"}"#, "malformed_command", "'enabled'"),
    ])
    func whatIsNoCommandIsAnsweredWithTheReason(_ text: String, _ code: String, _ words: String) throws {
        let object = try #require(JSONValue(parsing: text))
        let error = #expect(throws: CommandSyntaxError.self) { try SessionCommand(object) }
        #expect(error?.code == code)
        #expect(error?.description.contains(words) == true)
    }

    @Test func whatAClientSaysOfItselfIsCutToWhatACommandMayHold() throws {
        let origin = ChannelOrigin(
            chat: String(repeating: "ä", count: 2000), user: String(repeating: "u", count: 1024),
            time: String(repeating: "👍", count: 100))
        #expect(origin.chat == String(repeating: "ä", count: 512))
        #expect(origin.user?.count == 1024)
        #expect(origin.time == String(repeating: "👍", count: 64))
        let command = SessionCommand.prompt(text: "x", images: [], clientID: nil, channel: origin)
        #expect(try SessionCommand(command.json) == command)
    }

    @Test func aPromptsNameSaysWhichItIsAndOfWhichSession() throws {
        let session = SessionID()
        for seq in [0, 1, 77, 1 << 40, (1 << 62) - 1] as [UInt64] {
            let id = PromptID(session: session, seq: seq)
            #expect(SessionID(parsing: id.description) != nil)
            #expect(PromptID(parsing: id.description.uppercased(), of: session) == id)
            #expect(PromptID(parsing: id.description, of: SessionID()) == nil)
        }
        #expect(PromptID(parsing: SessionID().description, of: session) == nil)
        #expect(PromptID(parsing: "x", of: session) == nil)
    }
}
