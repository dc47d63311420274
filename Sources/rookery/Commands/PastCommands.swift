import ArgumentParser
import Foundation
import NIOHTTP1
import SessionCore

struct Recording: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a recording of a session's terminal (asciicast v2, for asciinema).",
        discussion: "rookery recording ID > session.cast; asciinema play session.cast")
    @OptionGroup var options: ClientOptions
    @Option(help: "Only what comes after this sequence number.") var since: UInt64 = 0
    @Flag(help: "With what was typed, secrets included.") var input = false
    @Argument(help: "The session: an id, the beginning of one, or a name.") var session: String

    func run() async throws {
        let client = try options.client()
        let id = try await client.sessionID(session)
        try await client.download("/v1/sessions/\(id)/recording?since=\(since)&input=\(input)") { printBytes($0) }
    }
}

struct Transcript: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print a session's conversation.")
    @OptionGroup var options: ClientOptions
    @Argument(help: "The session: an id, the beginning of one, or a name.") var session: String

    func run() async throws {
        let client = try options.client()
        let id = try await client.sessionID(session)
        var cursor: String? = "0"
        while let after = cursor {
            let page = try await client.send(.GET, "/v1/sessions/\(id)/transcript?limit=500&cursor=\(after)")
            for item in page["items"]?.array ?? [] {
                guard options.output == .table else {
                    printBytes(try JSONEncoder.rookery.encode(item) + Data("\n".utf8))
                    continue
                }
                if let text = Self.text(of: item) { print(printable(text)) }
            }
            cursor = page["next_cursor"]?.string
        }
    }

    private static func text(of item: JSONValue) -> String? {
        let data = item["data"]
        let time = item["time"]?.string ?? "-"
        switch item["type"]?.string {
        case "message.user": return "\(time)  > \(data?["text"]?.string ?? "")"
        case "message.assistant": return "\(time)  \(data?["text"]?.string ?? "")"
        case "tool.started": return "\(time)  [\(data?["tool_name"]?.string ?? "tool")]"
        case "tool.completed" where data?["is_error"]?.bool == true:
            return "\(time)  [\(data?["tool_name"]?.string ?? "tool") failed]"
        case "permission.requested": return "\(time)  [asks for \(data?["tool_name"]?.string ?? "a permission")]"
        case "gap": return "\(time)  [something is not kept any more]"
        default: return nil
        }
    }
}
