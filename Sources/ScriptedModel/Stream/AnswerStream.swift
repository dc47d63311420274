import Hummingbird
import NIOCore

/// Writes one answer as server-sent events, at the plan's pace, until it ends or the client goes away.
struct AnswerStream {
    /// The script cut the connection.
    struct Cut: Error {}

    let plan: ScriptedPlan
    let events: MessageEvents

    /// It takes long enough for the client's departure to matter. Watching for it takes over the connection, so such a stream
    /// is the last on one.
    static func watches(_ plan: ScriptedPlan) -> Bool {
        plan.pause >= .seconds(1) || plan.pieceDelay > .zero || plan.ending != .complete
    }

    mutating func run(_ request: Request, _ writer: inout any ResponseBodyWriter) async throws {
        let (plan, events) = (plan, events)
        // The writer cannot cross into the closure that watches the client, so the pieces come out of it one by one.
        let (pieces, source) = AsyncStream<String>.makeStream(bufferingPolicy: .unbounded)
        let producer = Task {
            defer { source.finish() }
            guard Self.watches(plan) else { return try await Self.produce(plan, events) { source.yield($0) } }
            try await request.body.consumeWithCancellationOnInboundClose { _ in
                try await Self.produce(plan, events) { source.yield($0) }
            }
        }
        try await withTaskCancellationHandler {
            for await piece in pieces { try await writer.write(ByteBuffer(string: piece)) }
            try await producer.value
        } onCancel: {
            producer.cancel()
        }
        try await writer.finish(nil)
    }

    private static func produce(
        _ plan: ScriptedPlan, _ events: MessageEvents, _ write: (String) -> Void
    ) async throws {
        if plan.pause > .zero { try await Task.sleep(for: plan.pause) }
        write(events.start + events.ping)
        var tokens = 0
        for (index, block) in plan.blocks.enumerated() {
            write(events.blockStart(index, block))
            for delta in events.deltas(index, block) {
                write(delta)
                tokens += 2
                switch plan.ending {
                case .cut: throw Cut()
                case .errorEvent:
                    write(events.error("overloaded_error", "scripted mid-stream overload"))
                    return
                case .complete, .hang: break
                }
                if plan.pieceDelay > .zero, case .text = block { try await Task.sleep(for: plan.pieceDelay) }
            }
            write(events.blockStop(index))
        }
        write(events.stop(reason: plan.stopReason, outputTokens: max(tokens, 1)))
    }
}
