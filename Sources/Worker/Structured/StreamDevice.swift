import Glibc
import NIOCore
import NIOPosix
import WorkerControl

/// The standard streams of a structured session's command, on the event loop.
///
/// The other end of each pipe stays open here until ``drain(within:then:)``: see ``StreamDescriptors``.
final class StreamDevice {
    /// More than this waiting to be read by the program, and no prompt is taken.
    static let inputLimit = 8 << 20
    /// What is kept of standard error, to explain a program that ended.
    private static let errorTail = 8 * 1024

    /// Takes the records of standard output. Reading begins with ``start()``.
    var onRecord: ((RecordFramer.Record) -> Void)?

    private let input: any Channel
    private let output: any Channel
    private let error: any Channel
    private var held: [Int32]
    private var framer: RecordFramer
    private var errors = ByteBuffer()
    private var inputIsClosed = false
    private var outputIsClosed = false
    private var onDrained: (() -> Void)?
    private var drainLimit: Scheduled<Void>?
    private let loop: any EventLoop

    private init(input: any Channel, output: any Channel, error: any Channel, held: [Int32], largest: Int) {
        loop = input.eventLoop
        self.input = input
        self.output = output
        self.error = error
        self.held = held
        framer = RecordFramer(largest: largest)
    }

    /// Takes the descriptors over. Call it on the event loop; the result comes on it too.
    static func open(
        _ descriptors: StreamDescriptors, largest: Int, on loop: any EventLoop
    ) -> EventLoopFuture<NIOLoopBound<StreamDevice>> {
        @Sendable func bootstrap() -> NIOPipeBootstrap {
            NIOPipeBootstrap(group: loop)
                .channelOption(.autoRead, value: false)
                .channelOption(.maxMessagesPerRead, value: 4)
                .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 64 * 1024))
                .channelOption(.writeBufferWaterMark, value: .init(low: inputLimit / 2, high: inputLimit))
        }
        return bootstrap().takingOwnershipOfDescriptor(output: descriptors.input).flatMap { input in
            bootstrap().takingOwnershipOfDescriptor(input: descriptors.output).flatMap { output in
                bootstrap().takingOwnershipOfDescriptor(input: descriptors.error).flatMapThrowing { error in
                    let device = StreamDevice(
                        input: input, output: output, error: error, held: descriptors.held, largest: largest)
                    try output.pipeline.syncOperations.addHandler(StreamHandler { [weak device] in device?.read($0) })
                    try error.pipeline.syncOperations.addHandler(
                        StreamHandler { [weak device] in device?.noteError($0) })
                    return NIOLoopBound(device, eventLoop: loop)
                }
            }
        }
    }

    func start() {
        resume()
        error.setOption(.autoRead, value: true).whenComplete { _ in }
    }

    /// False while the program does not read what it was given.
    var takesInput: Bool { !inputIsClosed && input.isWritable }

    /// One line, with its end.
    func write(_ line: ByteBuffer) {
        guard !inputIsClosed else { return }
        input.writeAndFlush(line, promise: nil)
    }

    /// The program reads to the end of what it was given, and then ends by itself.
    func closeInput() {
        guard !inputIsClosed else { return }
        inputIsClosed = true
        input.close(promise: nil)
    }

    /// Leaves what the program writes where it is: it waits.
    func pause() { output.setOption(.autoRead, value: false).whenComplete { _ in } }

    func resume() { output.setOption(.autoRead, value: true).whenComplete { _ in } }

    /// The end of what the program wrote on standard error.
    var lastErrors: String { String(decoding: errors.readableBytesView.suffix(Self.errorTail), as: UTF8.self) }

    /// The program is gone: passes on what it still wrote, then closes.
    func drain(within limit: TimeAmount, then done: @escaping () -> Void) {
        closeInput()
        for descriptor in held { close(descriptor) }
        held = []
        onDrained = done
        resume()
        let bound = NIOLoopBound(self, eventLoop: loop)
        output.closeFuture.whenComplete { _ in bound.value.drained() }
        drainLimit = loop.assumeIsolated().scheduleTask(in: limit) { self.output.close(promise: nil) }
    }

    private func drained() {
        drainLimit?.cancel()
        error.close(promise: nil)
        let done = onDrained
        onDrained = nil
        done?()
    }

    private func read(_ bytes: ByteBuffer) {
        framer.feed(bytes) { onRecord?($0) }
    }

    private func noteError(_ bytes: ByteBuffer) {
        errors.writeImmutableBuffer(bytes)
        guard errors.readableBytes > 8 * Self.errorTail else { return }
        errors.moveReaderIndex(forwardBy: errors.readableBytes - Self.errorTail)
        errors.discardReadBytes()
    }
}

private final class StreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let take: (ByteBuffer) -> Void

    init(_ take: @escaping (ByteBuffer) -> Void) { self.take = take }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { take(unwrapInboundIn(data)) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
