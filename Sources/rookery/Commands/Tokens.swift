import ArgumentParser
import NIOHTTP1
import SessionCore

struct Tokens: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Make, list and revoke tokens.",
        subcommands: [Create.self, Show.self, Revoke.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a token and print it, this once.")
        @OptionGroup var options: ClientOptions
        @Option(help: "viewer, approver, user, admin or operator.") var role = "user"
        @Option(help: "What it is for.") var name: String?
        @Option(help: "Whose it is; your own without.") var user: String?
        @Option(help: "The user's tenant; your own without. An operator's choice.") var tenant: String?

        func run() async throws {
            var body: [String: JSONValue] = ["role": .string(role)]
            for (member, value) in [("name", name), ("user", user), ("tenant", tenant)] {
                if let value { body[member] = .string(value) }
            }
            let token = try await options.client().send(.POST, "/v1/tokens", body: .object(body))
            if options.output == .json {
                try printJSON(token)
            } else {
                print(token["token"]?.string ?? "")
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List tokens, without their secrets.")
        @OptionGroup var options: ClientOptions

        func run() async throws {
            let answer = try await options.client().send(.GET, "/v1/tokens")
            guard options.output == .table else { return try printJSON(answer) }
            let rows = (answer["items"]?.array ?? []).map { token in
                [
                    token["id"]?.string ?? "-", token["name"]?.string ?? "-", token["role"]?.string ?? "-",
                    token["tenant"]?.string ?? "-", token["user"]?.string ?? "-", age(token["created_at"]?.string),
                    age(token["last_used_at"]?.string),
                ]
            }
            print(table(["ID", "NAME", "ROLE", "TENANT", "USER", "AGE", "USED"], rows))
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revoke a token at once.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "The token's id, as 'token list' shows it.") var id: String

        func run() async throws {
            // The id goes into a path: only what an id can be.
            guard !id.isEmpty, id.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }) else {
                throw ValidationError("'\(id)' is not a token's id; 'rookery token list' shows them")
            }
            try await options.client().send(.DELETE, "/v1/tokens/\(id)")
        }
    }
}
