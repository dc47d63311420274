import ArgumentParser
import Foundation
import NIOHTTP1
import SessionCore

struct Usage: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what sessions have used: tokens and USD.",
        discussion: """
            Without a session: the accounts of all that you may see, by day and model unless --by says otherwise. With one: \
            its own, by model; with --requests, each request that it made.
            """)
    @OptionGroup var options: ClientOptions
    @Option(help: "The first day, such as 2026-11-01, in UTC.") var since: String?
    @Option(help: "The last day.") var until: String?
    @Option(help: "Some of day, tenant, user, session, model, with commas between.") var by = "day,model"
    @Flag(help: "List the session's requests, newest first.") var requests = false
    @Argument(help: "The session: an id, the beginning of one, or a name.") var session: String?

    func validate() throws {
        if requests, session == nil { throw ValidationError("--requests needs a session") }
    }

    func run() async throws {
        let client = try options.client()
        guard let session else { return try await accounts(client) }
        let id = try await client.sessionID(session)
        if requests { return try await log(client, id) }
        let answer = try await client.send(.GET, "/v1/sessions/\(id)/usage")
        guard options.output == .table else { return try printJSON(answer) }
        let rows = (answer["models"]?.array ?? []).map { [$0["model"]?.string ?? "-"] + sums($0) }
        print(table(["MODEL"] + Self.sumHeader, rows + (answer["total"].map { [["all"] + sums($0)] } ?? [])))
    }

    private static let sumHeader = ["REQUESTS", "INPUT", "OUTPUT", "CACHE READ", "CACHE WRITE", "USD"]

    private func accounts(_ client: ServerClient) async throws {
        var query = ["group_by=\(escaped(by))"]
        if let since { query.append("since=\(escaped(since))") }
        if let until { query.append("until=\(escaped(until))") }
        let answer = try await client.send(.GET, "/v1/usage?\(query.joined(separator: "&"))")
        guard options.output == .table else { return try printJSON(answer) }
        let keys = by.split(separator: ",").map(String.init)
        let rows = (answer["items"]?.array ?? []).map { row in
            keys.map { row[$0 == "session" ? "session_id" : $0]?.string ?? "-" } + sums(row)
        }
        print(table(keys.map { $0.uppercased() } + Self.sumHeader, rows))
    }

    private func log(_ client: ServerClient, _ id: String) async throws {
        let answer = try await client.send(.GET, "/v1/sessions/\(id)/requests?limit=200")
        guard options.output == .table else { return try printJSON(answer) }
        let rows = (answer["items"]?.array ?? []).map { request in
            [
                age(request["started_at"]?.string), request["method"]?.string ?? "-", request["path"]?.string ?? "-",
                number(request["status"]), request["outcome"]?.string ?? "-", request["model"]?.string ?? "-",
                number(request["input_tokens"]), number(request["output_tokens"]), usd(request["cost_usd"]),
            ]
        }
        print(table(["AGE", "METHOD", "PATH", "STATUS", "OUTCOME", "MODEL", "INPUT", "OUTPUT", "USD"], rows))
    }

    private func sums(_ row: JSONValue) -> [String] {
        ["requests", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"].map { number(row[$0]) }
            + [usd(row["cost_usd"])]
    }

    private func number(_ value: JSONValue?) -> String {
        switch value {
        case .integer(let number): "\(number)"
        case .number(let number): "\(Int64(number))"
        default: "-"
        }
    }

    private func usd(_ value: JSONValue?) -> String {
        switch value {
        case .integer(let number): String(format: "%.4f", Double(number))
        case .number(let number): String(format: "%.4f", number)
        default: "-"
        }
    }

    private func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }
}
