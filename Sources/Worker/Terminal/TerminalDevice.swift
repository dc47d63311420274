import CLinux
import Glibc
import Logging
import NIOCore
import NIOPosix
import SessionCore

/// The session's PTY master on the event loop.
///
/// One slave stays open here until ``drain(within:then:)``: otherwise a tenant that closes and reopens its terminal
/// can make the reader see an end that is none, which the event loop does not survive.
final class TerminalDevice {
    /// More than this waiting to be read by the session's programs, and input is refused.
    static let inputLimit = 1 << 20
    /// Output that is collected while more keeps coming.
    private static let burst = 64 * 1024
    private static let coalescing = TimeAmount.microseconds(60)

    private let loop: any EventLoop
    private let channel: any Channel
    /// A second number for the master, for its size.
    private let control: Int32
    private var slave: Int32
    /// Takes the output; what comes before it is set waits for it.
    var onOutput: ((ByteBuffer) -> Void)? {
        didSet { flush() }
    }

    private var pending: ByteBuffer?
    private var flushIsScheduled = false
    private var lastFlush = NIODeadline.uptimeNanoseconds(0)
    private var onDrained: (() -> Void)?
    private var drainLimit: Scheduled<Void>?
    private var isClosed = false

    private init(channel: any Channel, control: Int32, slave: Int32, handler: TerminalHandler) {
        self.loop = channel.eventLoop
        self.channel = channel
        self.control = control
        self.slave = slave
        handler.device = self
    }

    /// Opens the slave of ``open(master:slave:on:)``. The terminal is a file of the sandbox's own, which a confined worker
    /// could not open any more.
    static func slave(of master: Int32) throws -> Int32 {
        let slave = rk_terminal_peer(master)
        guard slave >= 0 else { throw SystemCallError("TIOCGPTPEER on the session's terminal", errno: -slave) }
        return slave
    }

    /// Takes both over. Call it on the event loop; the result comes on it too.
    static func open(
        master: Int32, slave: Int32, on loop: any EventLoop
    ) throws -> EventLoopFuture<NIOLoopBound<TerminalDevice>> {
        let control = fcntl(master, F_DUPFD_CLOEXEC, 3)
        guard control >= 0 else { throw SystemCallError("fcntl(F_DUPFD_CLOEXEC) on the session's terminal", errno) }
        return NIOPipeBootstrap(group: loop)
            .channelOption(.maxMessagesPerRead, value: 16)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 16 * 1024))
            .channelOption(.writeBufferWaterMark, value: .init(low: inputLimit / 2, high: inputLimit))
            .takingOwnershipOfDescriptor(inputOutput: master)
            .flatMapThrowing { channel in
                let handler = TerminalHandler()
                let device = TerminalDevice(channel: channel, control: control, slave: slave, handler: handler)
                try channel.pipeline.syncOperations.addHandler(handler)
                return NIOLoopBound(device, eventLoop: loop)
            }
    }

    /// False while the session's programs do not read what they were given.
    var takesInput: Bool { channel.isWritable && !isClosed }

    /// Whether the session's programs have left unread some of what they were given.
    var hasUnread: Bool { slave >= 0 && rk_terminal_unread(slave) > 0 }

    func write(_ bytes: ByteBuffer) {
        guard !isClosed else { return }
        channel.writeAndFlush(bytes, promise: nil)
    }

    /// Writes and calls back once the terminal has taken all of it; `false` when it is gone.
    func write(_ bytes: ByteBuffer, then done: @escaping (Bool) -> Void) {
        guard !isClosed else { return done(false) }
        channel.writeAndFlush(bytes).assumeIsolated().whenComplete { result in
            if case .success = result { done(true) } else { done(false) }
        }
    }

    func resize(to size: TerminalSize) throws {
        let failure = rk_terminal_set_size(control, UInt16(size.cols), UInt16(size.rows))
        guard failure == 0 else { throw SystemCallError("TIOCSWINSZ on the session's terminal", errno: -failure) }
    }

    /// Leaves what the session's programs write where it is: they wait for it.
    func pause() { channel.setOption(.autoRead, value: false).whenComplete { _ in } }

    func resume() { channel.setOption(.autoRead, value: true).whenComplete { _ in } }

    /// The session is gone: passes on what it still wrote, then closes. Calls back at the end of the output, or when
    /// the time is over because somebody else holds the terminal.
    func drain(within limit: TimeAmount, then done: @escaping () -> Void) {
        onDrained = done
        resume()
        if slave >= 0 { close(slave) }
        slave = -1
        guard !isClosed else { return finish() }
        drainLimit = loop.assumeIsolated().scheduleTask(in: limit) {
            self.channel.close(promise: nil)
        }
    }

    // MARK: - The handler's reports

    fileprivate func read(_ bytes: inout ByteBuffer) {
        if pending == nil { pending = bytes } else { pending?.writeBuffer(&bytes) }
        if let pending, pending.readableBytes >= Self.burst { flush() }
    }

    /// The first output after a pause goes out at once: it may be the echo of a key. While output keeps coming it
    /// waits for a moment to be joined by more.
    fileprivate func readComplete() {
        guard pending != nil, !flushIsScheduled else { return }
        if NIODeadline.now() - lastFlush > .microseconds(500) { return flush() }
        flushIsScheduled = true
        loop.assumeIsolated().scheduleTask(in: Self.coalescing) {
            self.flushIsScheduled = false
            self.flush()
        }
    }

    private func flush() {
        guard let onOutput, let bytes = pending else { return }
        pending = nil
        lastFlush = .now()
        onOutput(bytes)
    }

    fileprivate func closed() {
        guard !isClosed else { return }
        isClosed = true
        flush()
        close(control)
        if onDrained != nil { finish() }
    }

    private func finish() {
        drainLimit?.cancel()
        let done = onDrained
        onDrained = nil
        done?()
    }
}

private final class TerminalHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    weak var device: TerminalDevice?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        device?.read(&bytes)
    }

    func channelReadComplete(context: ChannelHandlerContext) { device?.readComplete() }

    func channelInactive(context: ChannelHandlerContext) { device?.closed() }

    /// EIO is how a PTY master says that the last slave is closed.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
