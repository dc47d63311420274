import ArgumentParser
import NIOHTTP1
import SessionCore

struct Spares: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the sandboxes that wait for sessions.",
        discussion: "For operators. How many there are is the policy's (spares: {count: 2}).")
    @OptionGroup var options: ClientOptions

    func run() async throws {
        let report = try await options.client().send(.GET, "/v1/spares")
        guard options.output == .table else { return try printJSON(report) }
        func seconds(_ value: JSONValue?) -> String {
            switch value {
            case .number(let seconds): "\(Int(seconds))s"
            case .integer(let seconds): "\(seconds)s"
            default: "-"
            }
        }
        let rows = (report["pools"]?.array ?? []).map { pool in
            [
                pool["tenant"]?.string ?? "-", pool["policy"]?.string ?? "-", "\(pool["wanted"]?.integer ?? 0)",
                "\(pool["ready"]?.integer ?? 0)", seconds(pool["oldest_seconds"]), pool["fault"]?.string ?? "-",
            ]
        }
        print(table(["TENANT", "POLICY", "WANTED", "READY", "OLDEST", "FAULT"], rows))
        func count(_ key: String) -> Int64 { report[key]?.integer ?? 0 }
        print("made \(count("made")), sessions with one \(count("claimed")), sessions without \(count("missed"))")
    }
}
