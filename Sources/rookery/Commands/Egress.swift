import ArgumentParser
import NIOHTTP1
import SessionCore

struct Egress: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what a session may reach, and what it was refused.",
        discussion: "Docs/egress.md says how a policy lets a host through.")
    @OptionGroup var options: ClientOptions
    @Argument(help: "The session: an id, the beginning of one, or a name.") var session: String

    func run() async throws {
        let client = try options.client()
        let id = try await client.sessionID(session)
        let answer = try await client.send(.GET, "/v1/sessions/\(id)/egress")
        guard options.output == .table else { return try printJSON(answer) }
        let allow = (answer["allow"]?.array ?? []).compactMap(\.string)
        print("policy \(answer["policy"]?.string ?? "-"), egress \(answer["mode"]?.string ?? "-")")
        for host in allow { print("  \(host)") }
        let refusals = (answer["refusals"]?.array ?? []).map { refusal in
            [
                age(refusal["last_at"]?.string), count(refusal["count"]), refusal["reason"]?.string ?? "-",
                refusal["target"]?.string ?? "-",
            ]
        }
        print(table(["AGE", "REFUSED", "REASON", "TARGET"], refusals))
    }

    private func count(_ value: JSONValue?) -> String {
        if case .integer(let number)? = value { "\(number)" } else { "-" }
    }
}
