import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import SessionCore
import Synchronization

/// The ids of all sessions a test created, so that it can look for what is left of them.
package final class CreatedSessions: Sendable {
    private let ids = Mutex<[String]>([])

    package init() {}

    package var all: [String] { ids.withLock { $0 } }
    package func add(_ id: String) { ids.withLock { $0.append(id) } }
}

/// The API as a script sees it.
package struct APIClient: Sendable {
    package var base: String
    package var token: String?
    package let created: CreatedSessions

    package init(base: String, token: String?, created: CreatedSessions) {
        self.base = base
        self.token = token
        self.created = created
    }

    package struct Answer: Sendable {
        package var status: Int
        package var headers: HTTPHeaders
        package var body: ByteBuffer

        package var text: String { String(buffer: body) }
        package var json: JSONValue { (try? JSONDecoder().decode(JSONValue.self, from: Data(buffer: body))) ?? .null }
    }

    package func get(_ path: String) async throws -> Answer { try await send(.GET, path) }
    package func delete(_ path: String) async throws -> Answer { try await send(.DELETE, path) }

    package func post(_ path: String, _ body: JSONValue? = nil, headers: [(String, String)] = []) async throws -> Answer
    {
        try await send(.POST, path, body: try body.map { try JSONEncoder().encode($0) }, headers: headers)
    }

    package func patch(_ path: String, _ body: JSONValue) async throws -> Answer {
        try await send(.PATCH, path, body: try JSONEncoder().encode(body))
    }

    package func send(
        _ method: HTTPMethod, _ path: String, body: Data? = nil, headers: [(String, String)] = []
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(data: body))
        }
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(90))
        let content = try await response.body.collect(upTo: 8 << 20)
        return Answer(status: Int(response.status.code), headers: response.headers, body: content)
    }

    // MARK: what the tests say often

    /// Creates a session and returns its id.
    package func create(_ body: JSONValue = [:]) async throws -> String {
        let answer = try await post("/v1/sessions", body)
        guard answer.status == 201, let id = answer.json["id"]?.string else {
            throw Unexpected(answer: answer)
        }
        created.add(id)
        return id
    }

    package func session(_ id: String) async throws -> JSONValue {
        let answer = try await get("/v1/sessions/\(id)")
        guard answer.status == 200 else { throw Unexpected(answer: answer) }
        return answer.json
    }

    package func sessions() async throws -> [JSONValue] {
        let answer = try await get("/v1/sessions?limit=200")
        guard answer.status == 200 else { throw Unexpected(answer: answer) }
        return answer.json["items"]?.array ?? []
    }

    package func screen(_ id: String) async throws -> String {
        let answer = try await get("/v1/sessions/\(id)/screen?format=text")
        return answer.status == 200 ? answer.text : ""
    }

    package func input(_ id: String, _ text: String) async throws {
        let answer = try await post("/v1/sessions/\(id)/input", ["text": .string(text)])
        guard answer.status == 202, answer.json["seq"]?.integer != nil else { throw Unexpected(answer: answer) }
    }

    /// Waits for a text on the screen and returns the whole screen.
    @discardableResult
    package func waitForScreen(_ id: String, containing text: String, within limit: Duration = .seconds(60))
        async throws
        -> String
    {
        var last = ""
        do {
            return try await eventually("'\(text)' on the screen", within: limit) {
                last = try await screen(id)
                return last.contains(text) ? last : nil
            }
        } catch let error as TimedOut {
            throw TimedOut(what: "\(error.what); the screen shows:\n\(last)")
        }
    }

    package func waitFor(_ id: String, lifecycle: Lifecycle, within limit: Duration = .seconds(60)) async throws {
        var last: JSONValue = .null
        do {
            try await eventually("session to be \(lifecycle)", within: limit) {
                last = try await session(id)
                return last["lifecycle"]?.string == lifecycle.rawValue ? true : nil
            }
        } catch let error as TimedOut {
            throw TimedOut(what: "\(error.what); it is \(last)")
        }
    }

    package func waitFor(_ id: String, activity: Activity, within limit: Duration = .seconds(60)) async throws {
        var last: JSONValue = .null
        do {
            try await eventually("session to be \(activity)", within: limit) {
                last = try await session(id)
                return last["activity"]?.string == activity.rawValue ? true : nil
            }
        } catch let error as TimedOut {
            throw TimedOut(what: "\(error.what); it is \(last)")
        }
    }
}

package struct Unexpected: Error, CustomStringConvertible {
    package var answer: APIClient.Answer
    package var description: String { "unexpected answer \(answer.status): \(answer.text.prefix(2000))" }
}
