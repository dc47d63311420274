import ArgumentParser
import Foundation

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json
}

/// What every command that talks to a server takes.
struct ClientOptions: ParsableArguments {
    @Option(
        help:
            "The server: http://host:port, https://… or unix:/path (ROOKERY_SERVER; default \(ServerAddress.standard))."
    )
    var server: String?

    @Option(
        help: ArgumentHelp(
            "File with the token.",
            discussion: """
                Else the environment's ROOKERY_TOKEN, which holds the token itself or the absolute path of a file \
                with it; else the admin token of this machine's own server, where it may be read.
                """))
    var tokenFile: String?

    @Option(help: "How to print answers: table or json.")
    var output = OutputFormat.table

    func address(_ environment: [String: String] = ProcessInfo.processInfo.environment) throws -> ServerAddress {
        let text = server ?? environment["ROOKERY_SERVER"].flatMap { $0.isEmpty ? nil : $0 } ?? ServerAddress.standard
        guard let address = ServerAddress(parsing: text) else {
            throw Failure.usage("'\(text)' is not a server: write http://host:port, https://… or unix:/path")
        }
        return address
    }

    func token(_ environment: [String: String] = ProcessInfo.processInfo.environment) throws -> String? {
        if let tokenFile { return try Self.read(tokenFile) }
        if let value = environment["ROOKERY_TOKEN"], !value.isEmpty {
            return value.hasPrefix("/") ? try Self.read(value) : value
        }
        let standard = DefaultDirectories(environment: environment).state + "/admin-token"
        return FileManager.default.isReadableFile(atPath: standard) ? try? Self.read(standard) : nil
    }

    private static func read(_ path: String) throws -> String {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw Failure.usage("the token file \(path) cannot be read")
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func client() throws -> ServerClient { ServerClient(address: try address(), token: try token()) }
}
