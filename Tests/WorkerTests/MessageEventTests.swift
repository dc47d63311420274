import ClaudeCode
import SessionCore
import Testing

@testable import Worker

struct MessageEventTests {
    @Test func messagesAreToldAndToolsAreLeftToTheirHooks() {
        #expect(MessageEvent.event(of: .userText("hi"))?.type == .messageUser)
        #expect(MessageEvent.event(of: .assistantText("ho"))?.data == ["text": "ho"])
        #expect(MessageEvent.event(of: .thinking("hm"))?.type == .messageThinking)
        #expect(MessageEvent.event(of: .thinking("")) == nil)
        #expect(MessageEvent.event(of: .toolUse(id: "1", name: "Bash", input: "{}")) == nil)
        #expect(MessageEvent.event(of: .toolResult(id: "1", isError: false, text: "x")) == nil)
        #expect(MessageEvent.event(of: .stop(.ended)) == nil)
    }

    @Test(arguments: ["x", "é", "😀"])
    func aLongMessageIsCutBetweenCharactersAndSaysSo(_ character: String) {
        let text = "a" + String(repeating: character, count: EventText.longest)
        let data = MessageEvent.event(of: .assistantText(text))?.data
        let kept = data?["text"]?.string ?? ""
        #expect(text.hasPrefix(kept))
        #expect(kept.utf8.count <= EventText.longest)
        #expect(kept.utf8.count > EventText.longest - 4)
        #expect(data?["truncated"] == true)
        #expect(data?["bytes"]?.integer == Int64(text.utf8.count))
    }
}
