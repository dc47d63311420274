import NIOCore
import NIOHTTP1

/// An answer that does not end: what the session's MCP server has to say, as it comes. Whoever listens is the session, and
/// hears what its own people say to it.
final class EventStream {
    /// Nobody is to take it for dead.
    private static let pause = TimeAmount.seconds(25)

    private let channel: any Channel
    private var comments: RepeatedTask?
    private var isOver = false
    /// Called once when nobody listens any more.
    var onClosed: (() -> Void)?

    static func isAsked(by head: HTTPRequestHead) -> Bool {
        head.method == .GET
            && head.headers[canonicalForm: "accept"].contains { $0.lowercased().contains("text/event-stream") }
    }

    /// Begins the answer, on the event loop, to a request that was read to its end.
    init(on channel: any Channel) {
        self.channel = channel
        let headers: HTTPHeaders = ["content-type": "text/event-stream", "cache-control": "no-store"]
        write(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)))
        let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
        comments = channel.eventLoop.scheduleRepeatedTask(initialDelay: Self.pause, delay: Self.pause) { _ in
            // One that does not read has something to read already.
            if bound.value.isWritable { bound.value.send(": \n\n") }
        }
    }

    /// True while what was sent is read.
    var isWritable: Bool { !isOver && channel.isWritable }

    func send(_ text: String) {
        guard !isOver else { return }
        write(.body(.byteBuffer(ByteBuffer(string: text))))
    }

    /// The end, of our own.
    func end() {
        guard !isOver else { return }
        closed()
        let channel = channel
        write(.end(nil)).whenComplete { _ in channel.close(promise: nil) }
    }

    func closed() {
        guard !isOver else { return }
        isOver = true
        comments?.cancel()
        let onClosed = self.onClosed
        self.onClosed = nil
        onClosed?()
    }

    @discardableResult
    private func write(_ part: HTTPServerResponsePart) -> EventLoopFuture<Void> { channel.writeAndFlush(part) }
}
