import Foundation
import Hummingbird
import NIOCore
import NIOFoundationCompat
import ServiceLifecycle
import SessionCore

/// One event stream to one client: events as they come, a comment when none comes, and an end when the session is
/// deleted, the client goes or the server stops.
struct ServerSentEvents: Sendable {
    /// Keeps proxies from closing a quiet stream, and finds clients that are gone.
    static let heartbeat: Duration = .seconds(15)
    /// How long a browser waits before it connects again, in milliseconds.
    static let retry = 3000

    let events: AsyncStream<SessionEvent>
    let channel: any Channel
    var interval = Self.heartbeat

    func write(to writer: inout any ResponseBodyWriter) async throws {
        try await writer.write(ByteBuffer(string: "retry: \(Self.retry)\n\n"))
        let mailbox = EventMailbox<SessionEvent>()
        channel.closeFuture.whenComplete { _ in Task { await mailbox.close() } }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await event in events { await mailbox.put(event) }
                await mailbox.finish()
            }
            group.addTask { [interval] in
                while !Task.isCancelled {
                    try? await Task.sleep(for: interval)
                    await mailbox.tick()
                }
            }
            group.addTask {
                try? await gracefulShutdown()
                await mailbox.close()
            }
            defer { group.cancelAll() }
            let encoder = JSONEncoder.rookery
            do {
                loop: while true {
                    switch await mailbox.next() {
                    case .event(let event): try await writer.write(try Self.format(event, encoder))
                    case .quiet: try await writer.write(ByteBuffer(string: ": quiet\n\n"))
                    case .end: break loop
                    }
                }
            } catch {
                await mailbox.close()
                throw error
            }
            await mailbox.close()
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

/// Hands events from the one who has them to the one who writes them, one at a time: a client that does not read
/// holds up the reading of its own stream, whose bound is the supervisor's, and nothing piles up here.
actor EventMailbox<Element: Sendable> {
    enum Item: Sendable {
        case event(Element)
        /// Nothing came for an interval.
        case quiet
        case end
    }

    private var slot: Element?
    private var finished = false
    private var closed = false
    private var taker: CheckedContinuation<Item, Never>?
    private var giver: CheckedContinuation<Void, Never>?

    func put(_ element: Element) async {
        guard !closed else { return }
        if let taker {
            self.taker = nil
            taker.resume(returning: .event(element))
            return
        }
        slot = element
        await withCheckedContinuation { giver = $0 }
    }

    /// No more events will be put.
    func finish() {
        finished = true
        resume(.end)
    }

    func tick() { resume(.quiet) }

    private func resume(_ item: Item) {
        taker?.resume(returning: item)
        taker = nil
    }

    func next() async -> Item {
        if closed { return .end }
        if let element = slot {
            slot = nil
            giver?.resume()
            giver = nil
            return .event(element)
        }
        if finished { return .end }
        return await withCheckedContinuation { taker = $0 }
    }

    /// Ends both sides at once. May be called twice.
    func close() {
        closed = true
        slot = nil
        giver?.resume()
        giver = nil
        resume(.end)
    }
}
