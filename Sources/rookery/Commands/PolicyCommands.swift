import ArgumentParser
import Foundation
import Policy
import SessionCore

struct Policies: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Look at policies, and check them.",
        subcommands: [ListPolicies.self, ShowPolicy.self, CheckPolicies.self])
}

struct PolicyDirectory: ParsableArguments {
    @Option(help: "The directory with a YAML file each; this machine's without.") var policies: String?

    var path: String { policies ?? Installation.current().policies }

    func store() throws -> PolicyStore {
        do {
            return try PolicyStore(directory: path)
        } catch {
            throw Failure.refused("\(error)")
        }
    }
}

struct ListPolicies: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the policies of this machine's policy directory.")
    @OptionGroup var directory: PolicyDirectory
    @Option(help: "How to print answers: table or json.") var output = OutputFormat.table

    func run() throws {
        let store = try directory.store()
        guard output == .table else {
            return try printJSON(["items": .array(try store.all.map { try JSONValue(PolicyTree($0)) })])
        }
        let rows = store.all.map { policy in
            let limits = policy.sandbox.limits
            return [
                policy.name, limits.memory.description, "\(limits.cpuPercent)%", "\(limits.pids)",
                limits.disk?.description ?? "none", policy.sandbox.network.rawValue,
                policy.claude.permissionMode.rawValue, policy.idle.timeout?.description ?? "never", policy.description,
            ]
        }
        print(
            table(
                ["NAME", "MEMORY", "CPU", "PIDS", "DISK", "NETWORK", "PERMISSIONS", "PARKED AFTER", "DESCRIPTION"], rows
            ))
    }
}

struct ShowPolicy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one policy: its file, or what results of it.")
    @OptionGroup var directory: PolicyDirectory
    @Flag(help: "With every key, whether written there, in a policy it extends, or nowhere.") var resolved = false
    @Option(help: "How to print answers: table (YAML) or json (always resolved).") var output = OutputFormat.table
    @Argument(help: "The policy's name.") var name = SessionPolicy.defaultName

    func run() throws {
        let store = try directory.store()
        guard let policy = store.policy(named: name) else {
            throw Failure.refused("there is no policy '\(name)'; there are \(store.names.joined(separator: ", "))")
        }
        if output == .json { return try printJSON(try JSONValue(PolicyTree(policy))) }
        let written: String?
        do {
            written = resolved ? nil : try PolicyStore.text(of: name, in: directory.path)
        } catch {
            throw Failure.refused("\(error)")
        }
        // The built-in default has no file.
        printBytes(Data((written ?? PolicyTree(policy).yaml).utf8))
    }
}

struct CheckPolicies: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check policy files, and what they extend, before the supervisor reads them.",
        discussion: """
            A line 'file:line: key: problem; remedy' for each fault. Exit status: 0 without a fault, 1 with one.
            """)
    @Option(help: "How to print answers: table or json.") var output = OutputFormat.table
    @Argument(help: "YAML files; what they extend lies beside them.") var files: [String]

    func run() throws {
        var faults: [FileFault] = []
        // Two children of one faulty parent tell of it once.
        for file in files { faults += PolicyStore.faults(inFile: file).filter { !faults.contains($0) } }
        switch output {
        case .json: try printJSON(["faults": .array(faults.map(Self.document))])
        case .table: for fault in faults { print(printable("\(fault)").replacing("\n", with: " ")) }
        }
        if !faults.isEmpty { throw ExitCode(1) }
    }

    private static func document(_ fault: FileFault) -> JSONValue {
        [
            "file": .string(fault.file), "line": fault.line.map { .integer(Int64($0)) } ?? .null,
            "key": fault.key.map { .string($0) } ?? .null, "problem": .string(fault.problem),
            "remedy": .string(fault.remedy),
        ]
    }
}

extension JSONValue {
    fileprivate init(_ tree: PolicyTree) throws {
        self = try JSONDecoder().decode(JSONValue.self, from: try JSONEncoder.rookery.encode(tree))
    }
}
