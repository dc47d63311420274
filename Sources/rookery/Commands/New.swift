import ArgumentParser
import Foundation
import NIOHTTP1
import SessionCore

struct New: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make a session and print its id.")

    @OptionGroup var options: ClientOptions

    @Option(help: "A name to find it by.") var name: String?
    @Option(help: "The session's id, a UUID of your own.") var id: String?
    @Option(help: "terminal, or structured: without a screen, for programs and cards.") var kind: String?
    @Option(help: "The policy it lives under.") var policy: String?
    @Option(help: "The image it is made of, where its policy leaves the choice.") var image: String?
    @Option(help: "The model that Claude Code uses.") var model: String?
    @Option(help: "Claude Code's permission mode.") var permissionMode: String?
    @Option(help: "Park it after this time without activity, such as 20m.") var idleTimeout: String?
    @Option(help: "End it after this time, such as 8h.") var maxLifetime: String?
    @Option(help: "Typed into it once it is ready.") var prompt: String?
    @Option(help: "The terminal's size, such as 120x40; with --attach, this terminal's.") var size: String?
    @Option(name: .customLong("label"), help: "A label key=value. May be given several times.") var labels: [String] =
        []
    @Option(name: .customLong("env"), help: "A variable NAME=value. May be given several times.")
    var variables: [String] = []
    @Flag(help: "Attach to it at once.") var attach = false

    func run() async throws {
        var body: [String: JSONValue] = [:]
        for (key, value) in [
            ("name", name), ("id", id), ("kind", kind), ("policy", policy), ("image", image), ("model", model),
            ("permission_mode", permissionMode), ("idle_timeout", idleTimeout), ("max_lifetime", maxLifetime),
            ("prompt", prompt),
        ] {
            if let value { body[key] = .string(value) }
        }
        if let size = try terminalSize() {
            body["size"] = ["cols": .integer(Int64(size.cols)), "rows": .integer(Int64(size.rows))]
        }
        if !labels.isEmpty { body["labels"] = .object(try pairs(labels, "--label")) }
        if !variables.isEmpty { body["env"] = .object(try pairs(variables, "--env")) }
        let client = try options.client()
        if attach { try LocalTerminal.require() }
        let session = try await client.send(
            .POST, "/v1/sessions", body: .object(body), headers: ["idempotency-key": UUID().uuidString])
        guard let made = session["id"]?.string else { throw Failure.refused("the server's answer names no session") }
        if attach {
            try await TerminalAttachment(client: client, session: made, mode: .drive).run()
        } else if options.output == .json {
            try printJSON(session)
        } else {
            print(made)
        }
    }

    private func terminalSize() throws -> TerminalSize? {
        guard let size else { return attach ? LocalTerminal.size : nil }
        let numbers = size.split(separator: "x").compactMap { Int($0) }
        guard numbers.count == 2 else { throw ValidationError("'\(size)' is not a size: write it as 120x40") }
        return TerminalSize(cols: numbers[0], rows: numbers[1])
    }

    private func pairs(_ texts: [String], _ option: String) throws -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw ValidationError("\(option) takes name=value, not '\(text)'")
            }
            members[String(parts[0])] = .string(String(parts[1]))
        }
        return members
    }
}
