import ArgumentParser
import Foundation
import NIOHTTP1
import SessionCore

struct Budgets: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "budget", abstract: "Say what sessions, users and tenants may spend.",
        subcommands: [Set.self, Show.self, Remove.self])

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set the budget of a tenant, a user or a session.",
            discussion: """
                Sessions are told at 80 %. When it is used up, turns that run may finish, then their sessions are parked, and \
                new requests to the model are refused until the next day or month in UTC, or until the budget is raised.
                """)
        enum Period: String, ExpressibleByArgument, CaseIterable { case day, month }
        @OptionGroup var options: ClientOptions
        @Argument(help: "USD, such as 20 or 0.5.") var usd: Double
        @Option(help: "day or month.") var period: Period
        @Option(help: "The tenant; your own without. An operator's choice.") var tenant: String?
        @Option(help: "Only this user of the tenant.") var user: String?
        @Option(help: "Only this session: an id, the beginning of one, or a name.") var session: String?

        func validate() throws {
            guard session == nil || (user == nil && tenant == nil) else {
                throw ValidationError("--session stands alone: it says whose it is")
            }
        }

        func run() async throws {
            let client = try options.client()
            var body: [String: JSONValue] = ["limit_usd": .number(usd), "period": .string(period.rawValue)]
            for (name, value) in [("tenant", tenant), ("user", user)] {
                if let value { body[name] = .string(value) }
            }
            if let session { body["session_id"] = .string(try await client.sessionID(session)) }
            let made = try await client.send(.PUT, "/v1/budgets", body: .object(body))
            if options.output == .json { try printJSON(made) }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List budgets, each with what is used of it.")
        @OptionGroup var options: ClientOptions

        func run() async throws {
            let answer = try await options.client().send(.GET, "/v1/budgets")
            guard options.output == .table else { return try printJSON(answer) }
            let rows = (answer["items"]?.array ?? []).map { row in
                [
                    row["id"]?.integer.map(String.init) ?? "-", row["tenant"]?.string ?? "-",
                    row["session_id"]?.string ?? row["user"]?.string ?? "(all)", row["current"]?.string ?? "-",
                    usd(row["spent_usd"]), usd(row["limit_usd"]), row["state"]?.string ?? "-",
                    row["updated_by"]?.string ?? "-",
                ]
            }
            print(table(["ID", "TENANT", "OF", "PERIOD", "SPENT", "LIMIT", "STATE", "BY"], rows))
        }

        private func usd(_ value: JSONValue?) -> String {
            let number: Double
            switch value {
            case .integer(let whole): number = Double(whole)
            case .number(let part): number = part
            default: return "-"
            }
            return String(format: number > 0 && number < 0.01 ? "%.6f" : "%.2f", number)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a budget.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "The budget's id, as 'budget list' shows it.") var id: Int

        func run() async throws { try await options.client().send(.DELETE, "/v1/budgets/\(id)") }
    }
}
