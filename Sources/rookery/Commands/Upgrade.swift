import ArgumentParser
import Foundation
import NIOHTTP1
import SessionCore
import Supervisor

extension WorkerRenewal: ExpressibleByArgument {}

struct Upgrade: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put the installed release in place of the one that runs.",
        discussion: """
            The supervisor makes way for a process of the program that is installed now; nobody who connects is refused, \
            and clients at a session's terminal type on. Then sessions whose workers are of the release before are \
            started again, each in its conversation, when nothing of it is under way: 'idle' waits until a session has \
            been quiet for half a minute, 'now' only for the end of its turn, 'never' leaves them. Nothing is replaced \
            when the new program does not pass its own check.
            """)

    @OptionGroup var options: ClientOptions
    @Option(help: "When sessions go on under the new worker: now, idle or never.") var workers = WorkerRenewal.idle
    @Flag(help: "Return when no session waits for its new worker any more.") var wait = false
    @Flag(help: "Leave the supervisor as it is.") var workersOnly = false

    /// How long the next supervisor may take to answer.
    private static let patience = Duration.seconds(180)

    func run() async throws {
        let client = try options.client()
        let before = try await client.send(.GET, "/v1/upgrade")
        try await client.send(
            .POST, "/v1/upgrade",
            body: ["workers": .string(workers.rawValue), "supervisor": .bool(!workersOnly)])
        var report = workersOnly ? try await client.send(.GET, "/v1/upgrade") : try await next(client, after: before)
        var told: [String: String] = [:]
        tell(report, &told)
        while wait, Self.isUnfinished(report) {
            try await Task.sleep(for: .seconds(1))
            report = try await client.send(.GET, "/v1/upgrade")
            tell(report, &told)
        }
        if options.output == .json { try printJSON(report) }
    }

    /// What the supervisor says that has taken over.
    private func next(_ client: ServerClient, after before: JSONValue) async throws -> JSONValue {
        let begin = ContinuousClock.now
        while ContinuousClock.now - begin < Self.patience {
            if let report = try? await client.send(.GET, "/v1/upgrade"), report["instance"] != before["instance"] {
                if report["last"]?["outcome"]?.string == "failed" {
                    throw Failure.refused(
                        "not upgraded, the release before serves again: "
                            + printable(report["last"]?["reason"]?.string ?? ""))
                }
                if options.output == .table {
                    let took = (ContinuousClock.now - begin) / .milliseconds(1)
                    print(
                        "supervisor: \(Self.process(before)) made way for \(Self.process(report)) "
                            + "in \(Int(took)) ms")
                }
                return report
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw Failure.unreachable(
            "the new supervisor does not answer after \(Self.patience.components.seconds) s; its log says why")
    }

    private static func process(_ report: JSONValue) -> String {
        "\(report["version"]?.string ?? "?") (process \(report["pid"]?.integer ?? 0))"
    }

    private static func isUnfinished(_ report: JSONValue) -> Bool {
        (report["sessions"]?.array ?? []).contains { ["waiting", "renewing"].contains($0["state"]?.string) }
    }

    /// A line for each session that is new or has changed.
    private func tell(_ report: JSONValue, _ told: inout [String: String]) {
        guard options.output == .table else { return }
        for session in report["sessions"]?.array ?? [] {
            let id = session["id"]?.string ?? "-"
            let text: String =
                switch session["state"]?.string {
                case "current": told[id] == nil ? "runs under the installed worker" : "runs under the new worker"
                case "waiting": "waits: \(printable(session["detail"]?.string ?? ""))"
                case "renewing": "is being started again"
                case "older": "goes on under the older worker"
                default: "?"
                }
            guard told[id] != text else { continue }
            told[id] = text
            let name = session["name"]?.string.map { " (\(printable($0)))" } ?? ""
            print("\(id)\(name) \(text)")
        }
    }
}
