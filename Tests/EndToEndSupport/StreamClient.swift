import Foundation
import SessionCore

/// A client of `…/stream`, for tests.
package struct StreamClient: Sendable {
    package let socket: WebSocketClient

    package init(_ api: APIClient, _ id: String, since: Int64? = nil) async throws {
        socket = try await WebSocketClient(
            api.base, path: "/v1/sessions/\(id)/stream" + (since.map { "?since=\($0)" } ?? ""),
            headers: api.token.map { [("authorization", "Bearer \($0)")] } ?? [])
    }

    /// Gives a command and waits for its answer.
    @discardableResult
    package func command(_ command: SessionCommand) async throws -> JSONValue {
        guard case .object(var members) = command.json else { return .null }
        let number = UUID().uuidString
        members["id"] = .string(number)
        try await socket.send(.object(members))
        return try await socket.waitForMessage(type: "answer") { $0["id"]?.string == number }
    }

    @discardableResult
    package func prompt(_ text: String) async throws -> String {
        let answer = try await command(.prompt(text: text, images: [], clientID: nil))
        guard answer["ok"]?.bool == true, let id = answer["data"]?["prompt_id"]?.string else {
            throw TimedOut(what: "the prompt '\(text)' was refused: \(answer)")
        }
        return id
    }

    package func event(
        _ type: EventType, where matches: @Sendable (JSONValue) -> Bool = { _ in true }
    ) async throws -> JSONValue {
        try await socket.waitForMessage(type: type.rawValue) { matches($0["data"] ?? .null) }["data"] ?? .null
    }

    /// The end of the turn that took the prompt.
    package func end(of prompt: String) async throws -> JSONValue {
        try await event(.turnCompleted) { $0["prompt_ids"]?.array?.contains(.string(prompt)) ?? false }
    }

    package func events(_ type: EventType) async -> [JSONValue] {
        await socket.messages.filter { $0["type"]?.string == type.rawValue }.compactMap { $0["data"] }
    }

    package func close() async { await socket.close() }
}
