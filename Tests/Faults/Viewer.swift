import EndToEndSupport
import Foundation
import NIOCore
import SessionCore

/// Watches a session's terminal, over as many connections as it takes, and keeps what it was shown.
struct Viewer {
    let session: String
    private var connections: [WebSocketClient] = []

    init(session: String) { self.session = session }

    /// Connects, unless it is connected; again where a worker was killed whose end nobody had noticed yet.
    mutating func watch(_ rookery: Rookery) async throws {
        if let last = connections.last, await !last.ended { return }
        connections.append(
            try await eventually("a terminal of \(session)") { try? await rookery.api.terminal(session, mode: "view") })
    }

    /// Ends the watching.
    /// - Returns: the bytes that each connection was sent after its first picture of the screen.
    func end() async -> [[UInt8]] {
        var seen: [[UInt8]] = []
        for client in connections {
            await client.close()
            // One that was shown a second picture does not have all that was between.
            guard await client.messages.count(where: { $0["type"]?.string == "snapshot" }) == 1 else { continue }
            let bytes = await Array(client.bytes.readableBytesView)
            if !bytes.isEmpty { seen.append(bytes) }
        }
        return seen
    }
}
