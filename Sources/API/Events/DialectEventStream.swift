import Hummingbird
import NIOCore
import Registry
import ServiceLifecycle

/// Writes a foreign protocol's event stream to one client: frames as they come, a comment when none comes, and an end
/// when the client goes, its credential is taken back, or the server stops.
struct DialectEventStream: Sendable {
    let channel: any Channel
    let principal: Principal
    let authenticator: Authenticator

    func write(
        opening: [String], _ frames: some AsyncSequence<String, Never> & Sendable,
        to writer: inout any ResponseBodyWriter
    ) async throws {
        let handOff = EventHandOff<String>()
        channel.closeFuture.whenComplete { _ in Task { await handOff.close() } }
        let ticket = authenticator.streams.open(for: principal) { Task { await handOff.close() } }
        defer { if let ticket { authenticator.streams.close(ticket) } }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await frame in frames { await handOff.put(frame) }
                await handOff.finish()
            }
            group.addTask {
                while !Task.isCancelled {
                    try? await Task.sleep(for: ServerSentEvents.heartbeat)
                    await handOff.tick()
                }
            }
            group.addTask {
                try? await gracefulShutdown()
                await handOff.close()
            }
            do {
                // Something at once: the client sees that it is connected.
                try await writer.write(ByteBuffer(string: "retry: \(ServerSentEvents.retry)\n\n"))
                for frame in opening { try await writer.write(ByteBuffer(string: frame)) }
                loop: while true {
                    switch await handOff.next() {
                    case .event(let frame): try await writer.write(ByteBuffer(string: frame))
                    case .quiet: try await writer.write(ByteBuffer(string: ": quiet\n\n"))
                    case .end: break loop
                    }
                }
            } catch {
                // The client is gone.
            }
            await handOff.close()
            group.cancelAll()
        }
        try await writer.finish(nil)
    }
}
