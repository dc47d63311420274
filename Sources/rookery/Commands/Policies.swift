import ArgumentParser
import Foundation
import Policy
import SessionCore

struct Policies: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Look at policies.", subcommands: [Show.self])

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the policies of this machine's policy directory.")
        @Option(help: "The directory with a YAML file each.") var policies: String?
        @Option(help: "How to print answers: table or json.") var output = OutputFormat.table

        func run() throws {
            let directory = policies ?? Installation.current().policies
            let store: PolicyStore
            do {
                store = try PolicyStore(directory: directory)
            } catch {
                throw Failure.refused("\(error)")
            }
            guard output == .table else {
                let data = try JSONEncoder.rookery.encode(store.all)
                return try printJSON(["items": try JSONDecoder().decode(JSONValue.self, from: data)])
            }
            let rows = store.all.map { policy in
                [
                    policy.name, policy.sandbox.limits.memory.description, "\(policy.sandbox.limits.cpuPercent)%",
                    "\(policy.sandbox.limits.pids)", policy.claude.permissionMode.rawValue,
                    policy.idle.timeout?.description ?? "never", policy.claude.model ?? "-",
                ]
            }
            print(table(["NAME", "MEMORY", "CPU", "PIDS", "PERMISSIONS", "PARKED AFTER", "MODEL"], rows))
        }
    }
}
