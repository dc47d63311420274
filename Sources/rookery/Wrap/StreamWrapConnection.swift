import Dialects
import Foundation
import NIOCore
import NIOWebSocket
import SessionCore

/// One connection of a wrapped program on stream-json to its server, from the handshake to its end.
struct StreamWrapConnection {
    typealias Writer = NIOAsyncChannelOutboundWriter<WebSocketFrame>

    enum Event: Sendable {
        /// It is known who we are, and what the server has.
        case connected(Writer, received: UInt64)
        case give(line: String, request: String, by: String)
        case end
        /// The connection is gone; a `Failure` is for good.
        case lost(any Error)
    }

    let device: DeviceFile
    let client: ServerClient
    let session: String
    let directory: String
    /// Numbers of records are this process's: another that goes on with the session begins anew.
    private let run = UUID().uuidString.lowercased()

    func start(after delay: Duration, _ receive: @escaping @Sendable (Event) -> Void) -> Task<Void, Never> {
        Task {
            do {
                try await Task.sleep(for: delay)
                let frames = try await TerminalSocket.connect(client, path: "/ws/cli/\(session)?wrap=true")
                try await frames.executeThenClose { inbound, outbound in
                    try await outbound.write(.text(device.authentication(of: ["cwd": .string(directory)]).text))
                    let hello: JSONValue = [
                        "type": "hello", "cwd": .string(directory), "run": .string(run),
                    ]
                    try await outbound.write(.text(hello.text))
                    try await DeviceFrames.read(inbound, outbound) { take($0, outbound, receive) }
                }
            } catch is CancellationError {
                return
            } catch {
                receive(.lost(error))
            }
        }
    }

    private func take(_ text: String, _ writer: Writer, _ receive: @Sendable (Event) -> Void) {
        let message = JSONValue(parsing: text, limit: 16 << 20) ?? .null
        switch message["type"]?.string {
        case "welcome":
            receive(.connected(writer, received: UInt64(clamping: message["received"]?.integer ?? 0)))
        case "give":
            guard let line = message["line"]?.string, let request = message["request"]?.string,
                case .object? = JSONValue(parsing: line, limit: RemoteRecord.largestLine), !line.contains("\n")
            else { return }
            receive(.give(line: line, request: request, by: message["by"]?.string ?? "server"))
        case "end": receive(.end)
        default: break
        }
    }
}
