import Glibc
public import NIOCore
import NIOPosix
import SessionCore

/// The supervisor's side of one worker's control socket.
///
/// The actor runs on the connection's event loop, so its channel handler calls it without a hop.
public actor WorkerConnection {
    /// The worker's first frame.
    public nonisolated let hello: WorkerHello
    /// Everything the worker says unasked. One reader; it ends after ``WorkerNotice/disconnected(_:)``.
    public nonisolated var notices: AsyncStream<WorkerNotice> {
        AsyncStream { await self.nextNotice() }
    }
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private nonisolated let executor: any SerialExecutor
    private let channel: any Channel
    private var nextID: UInt64 = 1
    private var pending: [UInt64: PendingReply] = [:]
    private var queue: NoticeQueue
    /// The number of the latest request to subscribe.
    private var subscription: UInt64?
    private var reader: CheckedContinuation<WorkerNotice?, Never>?
    private var disconnection: String?
    private var finished = false

    private struct PendingReply {
        var command: String
        var continuation: CheckedContinuation<ControlReply, any Error>
        var deadline: Scheduled<Void>
    }

    /// Connects to the worker that listens at `path` and waits for its greeting.
    ///
    /// - Parameters:
    ///   - expectedUID: the user the worker must run as; its own by default.
    ///   - queueLimit: events kept for a slow reader before they are replaced by a `lost` notice.
    ///   - timeout: for connecting and the greeting together.
    /// - Throws: ``WorkerConnectionError``.
    public static func connect(
        to path: String, on group: any EventLoopGroup, expectedUID: UInt32 = geteuid(), queueLimit: Int = 4096,
        timeout: TimeAmount = .seconds(5)
    ) async throws -> WorkerConnection {
        let loop = group.next()
        let greeting = loop.makePromise(of: WorkerHello.self)
        let channel: any Channel
        let peer: PeerCredentials
        do {
            (channel, peer) = try await ClientBootstrap(group: loop)
                .connectTimeout(timeout)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let handler = WorkerConnectionHandler(greeting: greeting)
                        try channel.pipeline.syncOperations.addHandlers(
                            ByteToMessageHandler(ControlFrameDecoder()), handler)
                    }
                }
                .connect(unixDomainSocketPath: path)
                // At once: a worker that only has its end to tell may be gone a moment later.
                .flatMapThrowing { channel in
                    do { return (channel, try PeerCredentials(of: channel)) } catch {
                        channel.close(promise: nil)
                        throw error
                    }
                }
                .get()
        } catch {
            greeting.fail(error)
            throw WorkerConnectionError.unreachable("\(path): \(error)")
        }
        do {
            guard peer.uid == expectedUID else {
                throw WorkerConnectionError.wrongPeer(uid: peer.uid, expected: expectedUID)
            }
            let deadline = loop.scheduleTask(in: timeout) {
                greeting.fail(WorkerConnectionError.unresponsive("hello"))
            }
            defer { deadline.cancel() }
            let hello = try await greeting.futureResult.get()
            guard (ControlRequest.oldestVersion...ControlRequest.version).contains(hello.version) else {
                throw WorkerConnectionError.unsupportedVersion(hello.version)
            }
            let connection = WorkerConnection(hello: hello, channel: channel, queueLimit: queueLimit)
            try await connection.attach()
            return connection
        } catch {
            channel.close(promise: nil)
            greeting.fail(error)
            throw error
        }
    }

    private init(hello: WorkerHello, channel: any Channel, queueLimit: Int) {
        self.hello = hello
        self.channel = channel
        self.executor = channel.eventLoop.executor
        self.queue = NoticeQueue(limit: queueLimit)
    }

    /// Sends a command and waits for its reply; a refusal is a reply too.
    ///
    /// - Throws: ``WorkerConnectionError/unresponsive(_:)`` after `limit`, ``WorkerConnectionError/disconnected(_:)``,
    ///   ``ControlCodecError``, `CancellationError`.
    public func send(_ command: ControlCommand, within limit: Duration = .seconds(10)) async throws -> ControlReply {
        if let disconnection { throw WorkerConnectionError.disconnected(disconnection) }
        let id = nextID
        nextID += 1
        let frame = try ControlCodec.frame(ControlRequest(id: id, command: command), allocator: channel.allocator)
        if case .subscribe(let since) = command {
            queue.subscribing(since: since)
            subscription = id
        }
        return try await withTaskCancellationHandler {
            try Task.checkCancellation()
            return try await withCheckedThrowingContinuation { continuation in
                let deadline = channel.eventLoop.scheduleTask(in: TimeAmount(limit)) {
                    self.assumeIsolated { $0.expire(id) }
                }
                pending[id] = PendingReply(command: command.name, continuation: continuation, deadline: deadline)
                channel.writeAndFlush(frame, promise: nil)
            }
        } onCancel: {
            channel.eventLoop.execute { self.assumeIsolated { $0.cancel(id) } }
        }
    }

    /// Closes the connection; the worker goes on.
    public func close() async {
        try? await channel.close().get()
    }

    // MARK: - What the channel handler reports

    fileprivate func attach() throws {
        let handler = try channel.pipeline.syncOperations.handler(type: WorkerConnectionHandler.self)
        handler.attach(self)
    }

    fileprivate func received(_ frame: ControlFrame) {
        switch frame {
        case .hello: break
        case .reply(let id, let reply):
            // Also when nobody waits for the answer any more.
            if id == subscription { queue.subscribed() }
            guard let waiting = pending.removeValue(forKey: id) else { return }
            waiting.deadline.cancel()
            waiting.continuation.resume(returning: reply)
        case .event(let event): post(.event(event))
        case .ended(let end): post(.ended(end))
        }
    }

    fileprivate func disconnected(_ reason: String) {
        guard disconnection == nil else { return }
        disconnection = reason
        let waiting = pending.values
        pending = [:]
        for one in waiting {
            one.deadline.cancel()
            one.continuation.resume(throwing: WorkerConnectionError.disconnected(reason))
        }
        post(.disconnected(reason))
    }

    private func expire(_ id: UInt64) {
        guard let waiting = pending.removeValue(forKey: id) else { return }
        waiting.continuation.resume(throwing: WorkerConnectionError.unresponsive(waiting.command))
    }

    private func cancel(_ id: UInt64) {
        guard let waiting = pending.removeValue(forKey: id) else { return }
        waiting.deadline.cancel()
        waiting.continuation.resume(throwing: CancellationError())
    }

    // MARK: - Notices

    private func post(_ notice: WorkerNotice) {
        queue.append(notice)
        guard let reader else { return }
        self.reader = nil
        reader.resume(returning: takeNotice())
    }

    private func takeNotice() -> WorkerNotice? {
        let notice = queue.next()
        if case .disconnected = notice { finished = true }
        return notice
    }

    private func nextNotice() async -> WorkerNotice? {
        if let notice = takeNotice() { return notice }
        guard !finished, reader == nil, !Task.isCancelled else { return nil }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard !Task.isCancelled else { return continuation.resume(returning: nil) }
                reader = continuation
            }
        } onCancel: {
            channel.eventLoop.execute { self.assumeIsolated { $0.stopReading() } }
        }
    }

    private func stopReading() {
        reader?.resume(returning: nil)
        reader = nil
    }
}

/// Decodes frames and passes them on; frames before ``attach(_:)`` wait.
private final class WorkerConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let greeting: EventLoopPromise<WorkerHello>
    private var greeted = false
    private var connection: WorkerConnection?
    private var early: [ControlFrame] = []
    private var end: String?

    init(greeting: EventLoopPromise<WorkerHello>) { self.greeting = greeting }

    func attach(_ connection: WorkerConnection) {
        self.connection = connection
        let frames = early
        early = []
        let end = self.end
        connection.assumeIsolated { connection in
            for frame in frames { connection.received(frame) }
            if let end { connection.disconnected(end) }
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame: ControlFrame
        do {
            frame = try ControlCodec.decode(ControlFrame.self, from: unwrapInboundIn(data))
        } catch {
            return unreadable(unwrapInboundIn(data), error, context: context)
        }
        if !greeted {
            guard case .hello(let hello) = frame else {
                return fail("the worker's first frame is not its greeting", context: context)
            }
            greeted = true
            greeting.succeed(hello)
        } else if let connection {
            connection.assumeIsolated { $0.received(frame) }
        } else {
            early.append(frame)
        }
    }

    /// A worker of a newer version may send events and replies that this one does not know: an event is left out, a reply is
    /// told as one. What is no frame at all ends the connection.
    private func unreadable(_ data: ByteBuffer, _ error: any Error, context: ChannelHandlerContext) {
        guard greeted, let document = try? ControlCodec.decode([String: JSONValue].self, from: data) else {
            return fail("the worker sent what is not a control frame: \(error)", context: context)
        }
        guard let reply = document["reply"], let id = reply["id"]?.integer.flatMap(UInt64.init(exactly:)) else {
            return
        }
        let refusal = ControlReply.refused(
            code: "unknown_reply", detail: "the worker answered what this version does not know")
        connection?.assumeIsolated { $0.received(.reply(id: id, refusal)) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail("\(error)", context: context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        ended("the worker closed it")
        context.fireChannelInactive()
    }

    private func fail(_ reason: String, context: ChannelHandlerContext) {
        ended(reason)
        context.close(promise: nil)
    }

    private func ended(_ reason: String) {
        guard end == nil else { return }
        end = reason
        greeting.fail(WorkerConnectionError.disconnected(reason))
        connection?.assumeIsolated { $0.disconnected(reason) }
        connection = nil
    }
}

extension ControlCommand {
    /// The command's name, for errors and logs; never its content.
    public var name: String {
        switch self {
        case .subscribe: "subscribe"
        case .spareReady: "spare ready"
        case .claim: "claim"
        case .input: "input"
        case .interrupt: "interrupt"
        case .screen: "screen"
        case .status: "status"
        case .record: "record"
        case .stop: "stop"
        case .freeze: "freeze"
        case .hold: "hold"
        case .release: "release"
        case .dialect: "dialect"
        case .credential: "credential"
        case .session: "session"
        case .upload: "upload"
        }
    }
}
