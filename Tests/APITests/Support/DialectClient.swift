import Foundation
import SessionCore
import Testing

@testable import API

/// A WebSocket client of a foreign protocol: JSON text either way.
struct DialectClient {
    let raw: RawClient

    init(_ port: Int, _ target: String, headers: [String] = []) async throws {
        raw = try await RawClient(port: port)
        let head = try await raw.upgrade(target, headers: headers)
        try #require(head.hasPrefix("HTTP/1.1 101"), "\(head)")
    }

    func send(_ text: String) async throws { try await raw.sendText(text) }
    func next() async throws -> JSONValue { try JSONReader.parse(try await raw.receiveText().utf8) }

    /// Passes over what comes before.
    func next(_ type: String) async throws -> JSONValue {
        while true {
            let message = try await next()
            if message["type"]?.string == type { return message }
        }
    }

    func ask(_ text: String) async throws -> JSONValue {
        try await send(text)
        return try await next()
    }
}

extension FakeSessions {
    /// Says something in a session's name, with a number that rises.
    func emit(_ id: SessionID, _ seq: UInt64, _ type: EventType, _ data: JSONValue) {
        emit(
            SessionEvent(
                seq: seq, time: Date(timeIntervalSince1970: 1), sessionID: id, incarnation: 1, type: type, data: data))
    }
}

/// Waits for what another task does.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    for _ in 0..<1000 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("waited in vain for \(what)")
}
