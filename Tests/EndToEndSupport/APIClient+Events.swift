import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import SessionCore

extension APIClient {
    /// Reads SSE until the body of `until` says stop; gives up after 60 s.
    package func events(
        _ path: String, until enough: @escaping @Sendable ([JSONValue]) -> Bool
    ) async throws -> [JSONValue] {
        var request = HTTPClientRequest(url: base + path)
        if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        let prepared = request
        return try await withThrowingTaskGroup(of: [JSONValue].self) { group in
            group.addTask {
                let response = try await HTTPClient.shared.execute(prepared, timeout: .seconds(60))
                var pending = ""
                var seen: [JSONValue] = []
                for try await chunk in response.body {
                    pending += String(buffer: chunk)
                    while let end = pending.range(of: "\n\n") {
                        let event = pending[..<end.lowerBound]
                        pending.removeSubrange(..<end.upperBound)
                        for line in event.split(separator: "\n") where line.hasPrefix("data:") {
                            let data = Data(line.dropFirst(5).utf8)
                            seen.append((try? JSONDecoder().decode(JSONValue.self, from: data)) ?? .null)
                        }
                    }
                    if enough(seen) { return seen }
                }
                return seen
            }
            group.addTask {
                try await Task.sleep(for: .seconds(60))
                throw TimedOut(what: "events of \(path)")
            }
            defer { group.cancelAll() }
            return try await group.next() ?? []
        }
    }
}
