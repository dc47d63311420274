import ArgumentParser
import Foundation
import Registry
import SessionCore

struct RegistryCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "registry", abstract: "Look after the registry: the database of sessions, users and tokens.",
        discussion: """
            'check' and 'backup' work beside a supervisor that runs; 'restore' and 'rebuild' need it stopped. Nothing is \
            ever thrown away: what is replaced is kept in 'damaged' in the state directory.
            """,
        subcommands: [CheckRegistry.self, BackUpRegistry.self, RestoreRegistry.self, RebuildRegistry.self])
}

struct CheckRegistry: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say whether registry, manifests and backups are in order, and what to do.",
        discussion: "Changes nothing. Exit status: 0 in order, 1 not.")
    @OptionGroup var options: RegistryOptions

    func run() throws {
        let directory = try options.directory()
        let found = try RegistryOptions.explained { try RegistryInspection(directory: directory) }
        switch options.output {
        case .json: try printJSON(try JSONValue(documenting: found))
        case .table: Self.show(found)
        }
        if found.status != .ok { throw ExitCode(1) }
    }

    private static func show(_ found: RegistryInspection) {
        print("\(found.path): \(found.status.rawValue)\(found.inUse ? ", in use by a supervisor" : "")")
        if !found.counts.isEmpty {
            print(found.counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))
        }
        let good = found.backups.filter { $0.fault == nil }
        print(
            "\(found.manifests) manifests, \(good.count) good backups"
                + (good.first.map { ", the newest \(age($0.time.formatted(.rookery))) old" } ?? ""))
        for finding in found.findings { print(printable("found: \(finding)").replacing("\n", with: " ")) }
        if let remedy = found.remedy { print("to do: \(remedy)") }
    }
}

struct BackUpRegistry: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Make a checked copy of the registry, also of one in use.")
    @OptionGroup var options: RegistryOptions
    @Option(help: "The file to make; among the state directory's backups without.") var to: String?

    func run() throws {
        let target = to.map { Surroundings.current().absolute($0) }
        let directory = try options.directory()
        let backup = try RegistryOptions.explained {
            try RegistryCopy.make(ofStateDirectory: directory, to: target)
        }
        guard options.output == .table else {
            return try printJSON(["file": .string(backup.path), "time": .string(backup.time.formatted(.rookery))])
        }
        print(backup.path)
    }
}

struct RestoreRegistry: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Put a backup in the registry's place; the supervisor is stopped.",
        discussion: """
            Tenants, users and tokens are then as in the backup, but revoked tokens stay revoked. Sessions are brought up \
            to date from their manifests: a session that was deleted since does not come back.
            """)
    @OptionGroup var options: RegistryOptions
    @Argument(help: "The backup; the newest good one without.") var backup: String?

    func run() throws {
        let file = backup.map { Surroundings.current().absolute($0) }
        let directory = try options.directory()
        if file == nil, BackupStore(stateDirectory: directory).all().isEmpty {
            throw Failure.refused(
                "there are no backups in \(directory)/backups: name one, or use 'rookery registry rebuild'")
        }
        try RebuildRegistry.report(options) {
            try SessionRegistry.rebuild(directory: directory, from: file, cause: "a restore was asked for")
        }
    }
}

struct RebuildRegistry: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild", abstract: "Make the registry anew from the newest good backup and all manifests.",
        discussion: """
            The supervisor is stopped; it does the same by itself when it finds its registry damaged or missing. Workers \
            that live are asked when it starts.
            """)
    @OptionGroup var options: RegistryOptions
    @Flag(help: "Use no backup: manifests alone. All tokens but the admin's are lost.") var withoutBackup = false

    func run() throws {
        let directory = try options.directory()
        try Self.report(options) {
            try SessionRegistry.rebuild(
                directory: directory, usesBackups: !withoutBackup, cause: "a rebuild was asked for")
        }
    }

    static func report(_ options: RegistryOptions, _ body: () throws -> RecoveryReport) throws {
        let report = try RegistryOptions.explained(body)
        guard options.output == .table else { return try printJSON(try JSONValue(documenting: report)) }
        let text =
            report.summary + "\nto do: start the supervisor; it asks the workers that live, and makes the token in "
            + "its admin token file valid"
        print(printable(text.replacing("; ", with: "\n")))
        for line in report.unusable + report.rejectedBackups + report.orphans { print(printable("found: \(line)")) }
    }
}
