import ArgumentParser
import Foundation
import NIOHTTP1
import SessionCore

struct Secrets: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secret", abstract: "Set, list and remove secrets that are added to requests of tools.",
        subcommands: [Set.self, Show.self, Remove.self])

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set or rotate a secret of a tenant or of one user.",
            discussion: """
                The value is read from a file or standard input, never from the command line, where others could see it: the \
                value of the header that the policy names, or with --bearer or --basic the token alone. It counts from the next \
                request, and nobody can read it again. It is sent to the hosts named here that a policy names it for, and to no \
                other:

                  rookery secret set github --host github.com --basic x-access-token < token
                """)
        @OptionGroup var options: ClientOptions
        @Argument(help: "By which policies name it.") var name: String
        @Option(help: "Where it may be sent; repeatable. Without: where it may be sent already.") var host: [String] =
            []
        @Flag(help: "Send 'Bearer TOKEN'.") var bearer = false
        @Option(help: "Send 'Basic …' with this user's name and the token as password.") var basic: String?
        @Option(help: "The tenant; your own without. An operator's choice.") var tenant: String?
        @Option(help: "Only for sessions of this user of the tenant.") var user: String?
        @Option(help: "File with the value; '-' is standard input.") var secretFile = "-"

        func validate() throws {
            if bearer, basic != nil { throw ValidationError("--bearer and --basic are two ways to send one token") }
        }

        func run() async throws {
            var body: [String: JSONValue] = ["name": .string(name), "value": .string(try value())]
            if !host.isEmpty { body["hosts"] = .array(host.map { .string($0) }) }
            for (name, value) in [("tenant", tenant), ("user", user)] {
                if let value { body[name] = .string(value) }
            }
            let made = try await options.client().send(.PUT, "/v1/secrets", body: .object(body))
            if options.output == .json { try printJSON(made) }
        }

        private func value() throws -> String {
            let token = try SecretInput.text(of: secretFile)
            if let basic { return "Basic \(Data("\(basic):\(token)".utf8).base64EncodedString())" }
            return bearer ? "Bearer \(token)" : token
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List secrets and their hosts, without the values.", aliases: ["ls"])
        @OptionGroup var options: ClientOptions

        func run() async throws {
            let answer = try await options.client().send(.GET, "/v1/secrets")
            guard options.output == .table else { return try printJSON(answer) }
            let rows = (answer["items"]?.array ?? []).map { row in
                [
                    row["id"]?.integer.map(String.init) ?? "-", row["tenant"]?.string ?? "-",
                    row["user"]?.string ?? "(all)", row["name"]?.string ?? "-",
                    (row["hosts"]?.array ?? []).compactMap(\.string).joined(separator: ","),
                    age(row["updated_at"]?.string), row["updated_by"]?.string ?? "-",
                ]
            }
            print(table(["ID", "TENANT", "USER", "NAME", "HOSTS", "AGE", "BY"], rows))
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a secret at once.", aliases: ["rm"])
        @OptionGroup var options: ClientOptions
        @Argument(help: "The secret's id, as 'secret list' shows it.") var id: Int

        func run() async throws { try await options.client().send(.DELETE, "/v1/secrets/\(id)") }
    }
}
