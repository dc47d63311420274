import Foundation
import Hummingbird
import NIOCore
import NIOFoundationCompat
import Registry
import ServiceLifecycle
import SessionCore

/// One event stream to one client: events as they come, a comment when none comes, and an end when the session is
/// deleted, the client goes, its credential is taken back, or the server stops.
struct ServerSentEvents: Sendable {
    /// Keeps proxies from closing a quiet stream, and finds clients that are gone.
    static let heartbeat: Duration = .seconds(15)
    /// How long a browser waits before it connects again, in milliseconds.
    static let retry = 3000

    let events: AsyncStream<SessionEvent>
    let channel: any Channel
    /// Whose it is.
    var principal: Principal?
    var authenticator: Authenticator?
    var interval = Self.heartbeat

    func write(to writer: inout any ResponseBodyWriter) async throws {
        try await writer.write(ByteBuffer(string: "retry: \(Self.retry)\n\n"))
        let handOff = EventHandOff<SessionEvent>()
        channel.closeFuture.whenComplete { _ in Task { await handOff.close() } }
        let ticket = principal.flatMap { authenticator?.streams.open(for: $0) { Task { await handOff.close() } } }
        defer { if let ticket { authenticator?.streams.close(ticket) } }
        // Taken back after it was shown and before it was noted above.
        if let principal, let authenticator, try await authenticator.current(principal) == nil {
            return try await writer.finish(nil)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await event in events { await handOff.put(event) }
                await handOff.finish()
            }
            group.addTask { [interval] in
                while !Task.isCancelled {
                    try? await Task.sleep(for: interval)
                    await handOff.tick()
                }
            }
            group.addTask {
                try? await gracefulShutdown()
                await handOff.close()
            }
            defer { group.cancelAll() }
            let encoder = JSONEncoder.rookery
            do {
                loop: while true {
                    switch await handOff.next() {
                    case .event(let event): try await writer.write(try Self.format(event, encoder))
                    case .quiet: try await writer.write(ByteBuffer(string: ": quiet\n\n"))
                    case .end: break loop
                    }
                }
            } catch {
                await handOff.close()
                throw error
            }
            await handOff.close()
        }
        try await writer.finish(nil)
    }

    /// JSON has no raw line breaks, so one `data:` line is enough.
    static func format(_ event: SessionEvent, _ encoder: JSONEncoder) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeString("id: \(event.seq)\nevent: \(event.type.rawValue)\ndata: ")
        buffer.writeBytes(try encoder.encode(event))
        buffer.writeString("\n\n")
        return buffer
    }
}
