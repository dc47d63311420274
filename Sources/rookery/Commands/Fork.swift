import ArgumentParser
import Foundation
import NIOHTTP1
import SessionCore

struct Fork: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a session that begins as a copy of another, and print its id.",
        discussion: """
            The copy has the files and the conversation of a session that is at rest; from then on neither \
            knows of the other.
            """)

    @OptionGroup var options: ClientOptions
    @Option(help: "A name to find it by.") var name: String?
    @Option(help: "Its id, a UUID of your own.") var id: String?
    @Option(help: "The model that Claude Code uses, if not the same.") var model: String?
    @Option(help: "Claude Code's permission mode, if not the same.") var permissionMode: String?
    @Option(help: "Said to it once it is ready.") var prompt: String?
    @Argument(help: "The session: an id, the beginning of one, or a name.") var session: String

    func run() async throws {
        let client = try options.client()
        let parent = try await client.sessionID(session)
        var body: [String: JSONValue] = [:]
        for (key, value) in [
            ("name", name), ("id", id), ("model", model), ("permission_mode", permissionMode), ("prompt", prompt),
        ] {
            if let value { body[key] = .string(value) }
        }
        let made = try await client.send(
            .POST, "/v1/sessions/\(parent)/fork", body: .object(body),
            headers: ["idempotency-key": UUID().uuidString])
        guard let id = made["id"]?.string else { throw Failure.refused("the server's answer names no session") }
        if options.output == .json { try printJSON(made) } else { print(id) }
    }
}
