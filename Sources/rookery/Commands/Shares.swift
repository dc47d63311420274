import ArgumentParser
import Foundation
import NIOHTTP1
import SessionCore

struct Share: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a link that lets somebody else into one session; it is printed this once.")
    enum Role: String, ExpressibleByArgument, CaseIterable { case view, approve, drive }
    @OptionGroup var options: ClientOptions
    @Option(help: "view (look on), approve (and answer permissions) or drive (and type).") var role = Role.view
    @Option(help: "How long it works: 30m, 8h, 7d; 30d at most.") var expires = "24h"
    @Option(help: "Whom it is for: shown in lists, and with what is done through it.") var name: String?
    @Argument(help: "The session: an id, the beginning of one, or a name.") var session: String

    func run() async throws {
        let client = try options.client()
        let id = try await client.sessionID(session)
        var body: [String: JSONValue] = ["role": .string(role.rawValue), "expires_in": .string(expires)]
        if let name { body["name"] = .string(name) }
        let share = try await client.send(.POST, "/v1/sessions/\(id)/shares", body: .object(body))
        guard options.output == .table else { return try printJSON(share) }
        let path = share["path"]?.string ?? ""
        // Over a Unix socket nobody knows by what name a browser would find the server.
        if case .unix = client.address.target { return print(printable(path)) }
        print(printable(client.address.base + path))
    }
}

struct Shares: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the links to a session that work.")
    @OptionGroup var options: ClientOptions
    @Argument(help: "The session: an id, the beginning of one, or a name.") var session: String

    func run() async throws {
        let client = try options.client()
        let id = try await client.sessionID(session)
        let answer = try await client.send(.GET, "/v1/sessions/\(id)/shares")
        guard options.output == .table else { return try printJSON(answer) }
        let rows = (answer["items"]?.array ?? []).map { share in
            [
                share["id"]?.string ?? "-", share["role"]?.string ?? "-", share["name"]?.string ?? "-",
                share["created_by"]?.string ?? "-", age(share["created_at"]?.string),
                age(share["last_used_at"]?.string), share["expires_at"]?.string ?? "-",
            ]
        }
        print(table(["ID", "ROLE", "NAME", "BY", "AGE", "USED", "EXPIRES"], rows))
    }
}

struct Unshare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Revoke a link to a session: whoever came by it is out within a second.")
    @OptionGroup var options: ClientOptions
    @Argument(help: "The session: an id, the beginning of one, or a name.") var session: String
    @Argument(help: "The link's id, as 'shares' shows it.") var share: String

    func run() async throws {
        // The id goes into a path: only what an id can be.
        guard !share.isEmpty, share.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) }) else {
            throw ValidationError("'\(share)' is not a share link's id; 'rookery shares' shows them")
        }
        let client = try options.client()
        let id = try await client.sessionID(session)
        try await client.send(.DELETE, "/v1/sessions/\(id)/shares/\(share)")
    }
}
