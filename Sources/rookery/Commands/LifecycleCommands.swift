import ArgumentParser
import NIOHTTP1
import SessionCore

/// The sessions a command is for.
struct SessionArguments: ParsableArguments {
    @Argument(help: "Sessions: an id, the beginning of one, or a name.")
    var sessions: [String]
}

/// Does the same to every session named; goes on after a refusal, and says so at the end.
private func forEach(
    _ references: [String], _ options: ClientOptions, _ call: (ServerClient, String) async throws -> JSONValue,
    _ done: (String, JSONValue) -> String
) async throws {
    let client = try options.client()
    var refusals: [String] = []
    for reference in references {
        do {
            let id = try await client.sessionID(reference)
            let answer = try await call(client, id)
            if options.output == .json {
                if answer != .null { try printJSON(answer) }
            } else {
                print(done(id, answer))
            }
        } catch Failure.refused(let text) {
            refusals.append("\(reference): \(text)")
        }
    }
    guard refusals.isEmpty else { throw Failure.refused(refusals.joined(separator: "\n")) }
}

private func state(_ id: String, _ session: JSONValue) -> String {
    "\(id) \(session["lifecycle"]?.string ?? "")"
}

struct Stop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "End sessions; only 'resume' starts them again.")
    @OptionGroup var options: ClientOptions
    @OptionGroup var arguments: SessionArguments

    func run() async throws {
        try await forEach(
            arguments.sessions, options, { try await $0.send(.POST, "/v1/sessions/\($1)/stop") }, state)
    }
}

struct Park: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "End sessions' processes until somebody needs them again.")
    @OptionGroup var options: ClientOptions
    @OptionGroup var arguments: SessionArguments

    func run() async throws {
        try await forEach(
            arguments.sessions, options, { try await $0.send(.POST, "/v1/sessions/\($1)/park") }, state)
    }
}

struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start sessions again, with their workspace and conversation.")
    @OptionGroup var options: ClientOptions
    @OptionGroup var arguments: SessionArguments

    func run() async throws {
        try await forEach(
            arguments.sessions, options, { try await $0.send(.POST, "/v1/sessions/\($1)/resume") }, state)
    }
}

struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Delete sessions with their workspace and conversation.")
    @OptionGroup var options: ClientOptions
    @OptionGroup var arguments: SessionArguments
    @Flag(help: "Keep the workspace's files on the server.") var keepWorkspace = false

    func run() async throws {
        let query = keepWorkspace ? "?keep_workspace=true" : ""
        try await forEach(
            arguments.sessions, options, { try await $0.send(.DELETE, "/v1/sessions/\($1)\(query)") },
            { id, _ in "\(id) deleted" })
    }
}
