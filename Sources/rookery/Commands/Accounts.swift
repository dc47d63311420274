import ArgumentParser
import Foundation
import NIOHTTP1
import SessionCore

struct Tenants: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenant", abstract: "Make and list tenants: teams that see nothing of each other.",
        subcommands: [Create.self, Show.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a tenant. For operators.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "Its name.") var name: String

        func run() async throws {
            let made = try await options.client().send(.POST, "/v1/tenants", body: ["name": .string(name)])
            if options.output == .json { try printJSON(made) }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List tenants.")
        @OptionGroup var options: ClientOptions

        func run() async throws {
            let answer = try await options.client().send(.GET, "/v1/tenants")
            guard options.output == .table else { return try printJSON(answer) }
            let rows = (answer["items"]?.array ?? []).map { row in
                [row["name"]?.string ?? "-", age(row["created_at"]?.string)]
            }
            print(table(["NAME", "AGE"], rows))
        }
    }
}

struct Users: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Make and list users. Each gets in with tokens made for it.",
        subcommands: [Create.self, Show.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a user. Then 'rookery token create --user' makes the token that it gets in with.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "Its name.") var name: String
        @Option(help: "The tenant; your own without. An operator's choice.") var tenant: String?

        func run() async throws {
            var body: [String: JSONValue] = ["name": .string(name)]
            if let tenant { body["tenant"] = .string(tenant) }
            let made = try await options.client().send(.POST, "/v1/users", body: .object(body))
            if options.output == .json { try printJSON(made) }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List users.")
        @OptionGroup var options: ClientOptions
        @Option(help: "Only this tenant's.") var tenant: String?

        func run() async throws {
            let query = tenant?.addingPercentEncoding(withAllowedCharacters: .alphanumerics).map { "?tenant=\($0)" }
            let answer = try await options.client().send(.GET, "/v1/users" + (query ?? ""))
            guard options.output == .table else { return try printJSON(answer) }
            let rows = (answer["items"]?.array ?? []).map { row in
                [row["tenant"]?.string ?? "-", row["name"]?.string ?? "-", age(row["created_at"]?.string)]
            }
            print(table(["TENANT", "NAME", "AGE"], rows))
        }
    }
}
