import ArgumentParser
import Foundation
import NIOHTTP1
import SessionCore

struct Input: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Type text into a session; a parked one wakes.")
    @OptionGroup var options: ClientOptions
    @Flag(help: "Leave the text in the input line.") var noSubmit = false
    @Argument(help: "The session: an id, the beginning of one, or a name.") var session: String
    @Argument(help: "The text. '-' reads standard input.") var text: [String]

    func run() async throws {
        var text = text.joined(separator: " ")
        if text == "-" { text = String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self) }
        let client = try options.client()
        let id = try await client.sessionID(session)
        let answer = try await client.send(
            .POST, "/v1/sessions/\(id)/input",
            body: ["text": .string(text), "submit": .bool(!noSubmit), "client_id": .string(UUID().uuidString)])
        if options.output == .json { try printJSON(answer) }
    }
}

struct Screen: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print what a session's screen shows.")
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, ansi, json }
    @OptionGroup var options: ClientOptions
    @Option(help: "text, ansi (with colours) or json.") var format: Format?
    @Argument(help: "The session: an id, the beginning of one, or a name.") var session: String

    func run() async throws {
        let client = try options.client()
        let id = try await client.sessionID(session)
        let format = format ?? (options.output == .json ? .json : .text)
        let data = try await client.sendForText(.GET, "/v1/sessions/\(id)/screen?format=\(format.rawValue)")
        printBytes(data.last == UInt8(ascii: "\n") ? data : data + Data("\n".utf8))
    }
}

struct Idle: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Say why a session is or is not about to be parked.")
    @OptionGroup var options: ClientOptions
    @Argument(help: "The session: an id, the beginning of one, or a name.") var session: String

    func run() async throws {
        let client = try options.client()
        let id = try await client.sessionID(session)
        let report = try await client.send(.GET, "/v1/sessions/\(id)/idle")
        guard options.output == .table else { return try printJSON(report) }
        print("idle timeout  \(printable(report["idle_timeout"]?.string ?? "-"))")
        print("rule          \(printable(report["rule"]?.string ?? "-"))")
        print("warns at      \(printable(report["warns_at"]?.string ?? "-"))")
        print("parks at      \(printable(report["parks_at"]?.string ?? "-"))\n")
        let rows = (report["signals"]?.array ?? []).map { signal -> [String] in
            let age: String =
                switch signal["age_seconds"] {
                case .number(let seconds): "\(Int(seconds))s"
                case .integer(let seconds): "\(seconds)s"
                default: "-"
                }
            return [
                signal["name"]?.string ?? "-", signal["value"]?.string ?? "-", age, signal["source"]?.string ?? "-",
                signal["keeps_awake"]?.bool == true ? "yes" : "no",
            ]
        }
        print(table(["SIGNAL", "VALUE", "AGE", "SOURCE", "KEEPS AWAKE"], rows))
    }
}
