import ArgumentParser
import Foundation
import NIOHTTP1
import SessionCore

struct Permissions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List and answer what sessions ask for.",
        subcommands: [Show.self, Allow.self, Deny.self], defaultSubcommand: Show.self)

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List every permission that is open and yours to answer.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "Of this session alone: an id, the beginning of one, or a name.") var session: String?

        func run() async throws {
            let client = try options.client()
            var path = "/v1/permissions"
            if let session { path = "/v1/sessions/\(try await client.sessionID(session))/permissions" }
            let answer = try await client.send(.GET, path)
            guard options.output == .table else { return try printJSON(answer) }
            for item in answer["items"]?.array ?? [] {
                var head = [item["id"]?.string, item["tool_name"]?.string, age(item["since"]?.string)]
                head.append(item["session_name"]?.string ?? item["session_id"]?.string)
                print(head.compactMap { $0.map(printable) }.joined(separator: "  "))
                // Whole: nobody says yes to what is not shown.
                let text = item["visible"]?.string ?? "(too large to be shown; it can be denied only)"
                for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                    print("    " + printable(String(line)))
                }
            }
        }
    }

    struct Allow: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Allow one.")
        @OptionGroup var options: ClientOptions
        @Option(help: "For the rest of the session, or for the whole tenant: session or tenant.") var remember: String?
        @Option(help: "The tool's input in place of what was asked, as JSON.") var input: String?
        @Option(name: .customLong("answer"), help: "QUESTION=ANSWER, to a question. May be given several times.")
        var answers: [String] = []
        @Argument(help: "The permission's id, as 'permissions list' shows it.") var id: String

        func run() async throws {
            var body: [String: JSONValue] = ["decision": "allow"]
            if let remember { body["remember"] = .string(remember) }
            if let input {
                guard let value = JSONValue(parsing: input), case .object = value else {
                    throw ValidationError("--input takes a JSON object")
                }
                body["updated_input"] = value
            }
            if !answers.isEmpty {
                var members: [String: JSONValue] = [:]
                for text in answers {
                    guard let end = text.lastIndex(of: "=") else {
                        throw ValidationError("--answer takes QUESTION=ANSWER, not '\(text)'")
                    }
                    members[String(text[..<end])] = .string(String(text[text.index(after: end)...]))
                }
                body["answers"] = .object(members)
            }
            try await answer(id, .object(body), options)
        }
    }

    struct Deny: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Deny one.")
        @OptionGroup var options: ClientOptions
        @Option(help: "Told to the model.") var message: String?
        @Flag(help: "End the turn too.") var interrupt = false
        @Argument(help: "The permission's id, as 'permissions list' shows it.") var id: String

        func run() async throws {
            var body: [String: JSONValue] = ["decision": "deny"]
            if let message { body["message"] = .string(message) }
            if interrupt { body["interrupt"] = true }
            try await answer(id, .object(body), options)
        }
    }

    /// Answers the one that has this id, or begins with it.
    private static func answer(_ id: String, _ body: JSONValue, _ options: ClientOptions) async throws {
        let client = try options.client()
        let open = try await client.send(.GET, "/v1/permissions")["items"]?.array ?? []
        let found = open.filter { $0["id"]?.string?.hasPrefix(id) ?? false }
        guard let item = found.first, let session = item["session_id"]?.string, let whole = item["id"]?.string else {
            throw Failure.refused("no permission '\(id)' is open: it was answered, or was never asked for")
        }
        guard found.count == 1 else { throw Failure.usage("'\(id)' begins the ids of \(found.count) permissions") }
        // It goes into a path.
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "-_.")
        let part = whole.addingPercentEncoding(withAllowedCharacters: allowed) ?? whole
        let answer = try await client.send(.POST, "/v1/sessions/\(session)/permissions/\(part)", body: body)
        if options.output == .json { try printJSON(answer) }
    }
}

struct Switch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Go on with an idle session in another kind: terminal or structured.")
    @OptionGroup var options: ClientOptions
    @Option(help: "terminal or structured.") var kind: String
    @Argument(help: "The session: an id, the beginning of one, or a name.") var session: String

    func run() async throws {
        let client = try options.client()
        let id = try await client.sessionID(session)
        let answer = try await client.send(.POST, "/v1/sessions/\(id)/switch", body: ["kind": .string(kind)])
        if options.output == .json { try printJSON(answer) } else { print("\(id) \(answer["kind"]?.string ?? "")") }
    }
}
