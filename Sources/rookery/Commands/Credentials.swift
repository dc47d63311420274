import ArgumentParser
import Foundation
import NIOHTTP1
import SessionCore

struct Credentials: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "credential", abstract: "Set, list and remove credentials for the model API.",
        subcommands: [Set.self, Show.self, Remove.self])

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set or rotate the credential of a tenant or of one user.",
            discussion: """
                The secret is read from a file or standard input, never from the command line, where others could see it: the \
                key or token alone, or a JSON object with the members of PUT /v1/credentials (token, refresh_token, token_url, \
                client_id, token_form, expires_at for oauth; headers for gateway). It counts from the next request, and nobody \
                can read it again.
                """)
        enum Kind: String, ExpressibleByArgument, CaseIterable {
            case apiKey = "api-key"
            case bearer, oauth, gateway
        }
        @OptionGroup var options: ClientOptions
        @Option(help: "api-key, bearer, oauth, or gateway (a company's own, with its headers).") var kind: Kind
        @Option(help: "The tenant; your own without. An operator's choice.") var tenant: String?
        @Option(help: "Only for this user of the tenant.") var user: String?
        @Option(help: "Where its requests go, in place of the server's --model-upstream.") var upstream: String?
        @Option(help: "File with the secret; '-' is standard input.") var secretFile = "-"

        func run() async throws {
            var body = try members()
            body["kind"] = .string(kind.rawValue.replacing("-", with: "_"))
            for (name, value) in [("tenant", tenant), ("user", user), ("upstream", upstream)] {
                if let value { body[name] = .string(value) }
            }
            let made = try await options.client().send(.PUT, "/v1/credentials", body: .object(body))
            if options.output == .json { try printJSON(made) }
        }

        private func members() throws -> [String: JSONValue] {
            let text = try SecretInput.text(of: secretFile)
            if text.hasPrefix("{") {
                guard case .object(let members)? = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
                else {
                    throw Failure.usage("the secret begins with '{' and is not a JSON object")
                }
                return members
            }
            switch kind {
            case .apiKey: return ["api_key": .string(text)]
            case .bearer: return ["token": .string(text)]
            case .oauth, .gateway: throw Failure.usage("a credential of kind \(kind.rawValue) is a JSON object")
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List credentials, without their secrets.")
        @OptionGroup var options: ClientOptions

        func run() async throws {
            let answer = try await options.client().send(.GET, "/v1/credentials")
            guard options.output == .table else { return try printJSON(answer) }
            let rows = (answer["items"]?.array ?? []).map { row in
                [
                    row["id"]?.integer.map(String.init) ?? "-", row["tenant"]?.string ?? "-",
                    row["user"]?.string ?? "(all)", row["kind"]?.string ?? "-", age(row["updated_at"]?.string),
                    row["updated_by"]?.string ?? "-", row["expires_at"]?.string ?? "-", row["fault"]?.string ?? "-",
                ]
            }
            print(table(["ID", "TENANT", "USER", "KIND", "AGE", "BY", "EXPIRES", "FAULT"], rows))
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a credential at once.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "The credential's id, as 'credential list' shows it.") var id: Int

        func run() async throws { try await options.client().send(.DELETE, "/v1/credentials/\(id)") }
    }
}
