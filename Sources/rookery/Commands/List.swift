import ArgumentParser
import SessionCore

struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List sessions, with what each is doing.")

    @OptionGroup var options: ClientOptions
    @Option(help: "Only those in this state, such as running or parked.") var lifecycle: String?
    @Option(help: "Only those that are idle, working or pending.") var activity: String?
    @Option(help: "Only those with this label, key:value.") var label: String?

    func run() async throws {
        var query: [String: String] = [:]
        query["lifecycle"] = lifecycle
        query["activity"] = activity
        query["label"] = label
        let sessions = try await options.client().sessions(query: query)
        guard options.output == .table else {
            return try printJSON(["items": .array(sessions), "next_cursor": nil])
        }
        let rows = sessions.map { session -> [String] in
            var state = session["lifecycle"]?.string ?? "-"
            if state != "running", let reason = session["reason"]?.string { state += " (\(reason))" }
            return [
                session["id"]?.string ?? "-", session["name"]?.string ?? "-", state,
                session["activity"]?.string ?? "-", session["policy"]?.string ?? "-",
                age(session["created_at"]?.string), age(session["last_activity_at"]?.string),
                "\(session["clients"]?.array?.count ?? 0)",
            ]
        }
        print(table(["ID", "NAME", "STATE", "ACTIVITY", "POLICY", "AGE", "LAST", "CLIENTS"], rows))
    }
}
