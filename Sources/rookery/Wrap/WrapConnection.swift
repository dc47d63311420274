import Dialects
import Foundation
import NIOCore
import NIOWebSocket
import SessionCore

/// One connection of a wrapped program to its server, from the handshake to its end.
struct WrapConnection {
    typealias Writer = NIOAsyncChannelOutboundWriter<WebSocketFrame>

    enum Event: Sendable {
        /// It is known who we are; `received` is the last output that the server has, where it says.
        case connected(Writer, session: Int64, received: UInt64?)
        case typed(String)
        /// The connection is gone; a `Failure` is for good.
        case lost(any Error)
    }

    let device: DeviceFile
    let client: ServerClient
    let directory: String
    let command: String

    /// - Parameter session: what it continues.
    func start(
        session: Int64?, size: TerminalSize, after delay: Duration, _ receive: @escaping @Sendable (Event) -> Void
    ) -> Task<Void, Never> {
        Task {
            do {
                try await Task.sleep(for: delay)
                let frames = try await TerminalSocket.connect(client, path: "/ws")
                try await frames.executeThenClose { inbound, outbound in
                    try await outbound.write(.text(authentication(session, size).text))
                    var greeting: Int64?
                    try await DeviceFrames.read(inbound, outbound, refuses: { greeting == nil && $0 == 1011 }) { text in
                        let message = JSONValue(parsing: text) ?? .null
                        switch message["type"]?.string {
                        case "auth_ok":
                            guard let id = message["session_id"]?.integer else { break }
                            greeting = id
                            let received = message["received"]?.integer.map { UInt64(clamping: $0) }
                            receive(.connected(outbound, session: id, received: received))
                        case "input": receive(.typed(message["data"]?.string ?? ""))
                        case "ping": try await outbound.write(.text(#"{"type":"pong"}"#))
                        default: break
                        }
                    }
                }
            } catch is CancellationError {
                return
            } catch {
                receive(.lost(error))
            }
        }
    }

    private func authentication(_ session: Int64?, _ size: TerminalSize) -> JSONValue {
        var members: [String: JSONValue] = [
            "cwd": .string(directory), "command": .string(command), "cols": .integer(Int64(size.cols)),
            "rows": .integer(Int64(size.rows)),
        ]
        if let session { members["session_id"] = .integer(session) }
        return device.authentication(of: members)
    }
}
