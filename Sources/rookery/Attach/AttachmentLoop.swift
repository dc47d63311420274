import Foundation
import NIOCore
import NIOWebSocket
import SessionCore
import Synchronization

/// The one place where everything that can happen to an attachment comes together, in order.
final class AttachmentLoop: Sendable {
    private let client: ServerClient
    private let session: String
    private let mode: AttachMode
    private let progress = Mutex(Progress())

    /// What the connection's task knows that the next connection needs.
    private struct Progress {
        /// Everything through this number is on the screen.
        var seen: UInt64?
    }

    private typealias Writer = NIOAsyncChannelOutboundWriter<WebSocketFrame>

    private enum Event: Sendable {
        case local(LocalEvent)
        case connected(Writer)
        case message(TerminalMessage)
        /// The connection is gone, for a reason that trying again does not cure (`Failure`) or may.
        case lost(any Error)
    }

    private struct Silence: Error {}
    private struct Closed: Error {}

    init(client: ServerClient, session: String, mode: AttachMode) {
        self.client = client
        self.session = session
        self.mode = mode
    }

    func run() async throws -> TerminalAttachment.End {
        let (events, source) = AsyncStream<Event>.makeStream()
        let local = LocalEvents { source.yield(.local($0)) }
        var connection = connect(first: true, after: .zero, source)
        defer {
            connection.cancel()
            withExtendedLifetime(local) {}
        }
        var writer: Writer?
        var drives = true
        var scanner = DetachScanner()
        var failures = 0
        for await event in events {
            switch event {
            case .local(.typed(let bytes)):
                let (passed, detached) = scanner.scan(bytes)
                if mode == .drive, !passed.isEmpty, let writer {
                    var frames = [WebSocketFrame.binary(passed)]
                    // Typing is what makes one the driver.
                    if !drives { frames.insert(.text(TerminalRequest.takeOver.text), at: 0) }
                    try? await writer.write(contentsOf: frames)
                }
                if detached { return await leave(writer, .detached) }
            case .local(.hungUp): return await leave(writer, .detached)
            case .local(.stopped(let signal)): return await leave(writer, .stopped(signal: signal))
            case .local(.resized):
                if mode == .drive { try? await writer?.write(.text(TerminalRequest.resize(LocalTerminal.size).text)) }
            case .connected(let new):
                writer = new
                drives = true
                failures = 0
            case .message(.driver(let you)):
                if you, !drives { try? await writer?.write(.text(TerminalRequest.resize(LocalTerminal.size).text)) }
                drives = you
            case .message(.exit(let code, let signal, let reason)):
                return .sessionEnded(code: code, signal: signal, reason: reason)
            case .message(.reapWarning): LocalTerminal.write([0x07])
            case .message: break
            case .lost(let error):
                writer = nil
                if let failure = error as? Failure { throw failure }
                // The first connection says what is wrong; later ones are worth waiting for.
                if failures == 0, progress.withLock({ $0.seen == nil }) { throw unreachable(error) }
                failures += 1
                if failures == 4 {
                    // Long enough to tell; what this prints over is painted again by a snapshot.
                    LocalTerminal.write("\r\n[rookery] connection lost, trying again; Ctrl-] leaves\r\n".utf8)
                    progress.withLock { $0.seen = nil }
                }
                connection = connect(
                    first: false, after: .milliseconds(min(5000, 100 << min(failures, 6))), source)
            }
        }
        return .detached
    }

    private func unreachable(_ error: any Error) -> Failure {
        .unreachable("\(client.address) cannot be reached: \(error)")
    }

    private func leave(_ writer: Writer?, _ end: TerminalAttachment.End) async -> TerminalAttachment.End {
        if let writer {
            var code = ByteBuffer()
            code.write(webSocketErrorCode: .normalClosure)
            try? await writer.write(
                WebSocketFrame(fin: true, opcode: .connectionClose, maskKey: .random(), data: code))
        }
        return end
    }

    /// One connection, from the upgrade to its end. Only the first wakes a parked session: a reconnect is nobody's
    /// wish.
    private func connect(
        first: Bool, after delay: Duration, _ source: AsyncStream<Event>.Continuation
    ) -> Task<Void, Never> {
        Task {
            do {
                try await Task.sleep(for: delay)
                let path = "/v1/sessions/\(session)/terminal\(first ? "?wake=true" : "")"
                let frames = try await TerminalSocket.connect(client, path: path)
                try await frames.executeThenClose { inbound, outbound in
                    let hello = TerminalRequest.hello(
                        since: progress.withLock(\.seen), size: LocalTerminal.size, mode: mode)
                    try await outbound.write(.text(hello.text))
                    source.yield(.connected(outbound))
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        let heard = LastHeard()
                        group.addTask { try await self.receive(inbound, outbound, heard, source) }
                        group.addTask { try await Self.keepAlive(outbound, heard) }
                        try await group.next()
                        group.cancelAll()
                    }
                }
                throw Closed()
            } catch is CancellationError {
                return
            } catch {
                source.yield(.lost(error))
            }
        }
    }

    /// Terminal bytes go straight to the terminal, so that a slow one slows the server and not memory.
    private func receive(
        _ inbound: NIOAsyncChannelInboundStream<WebSocketFrame>, _ outbound: Writer,
        _ heard: LastHeard, _ source: AsyncStream<Event>.Continuation
    ) async throws {
        for try await frame in inbound {
            heard.now()
            switch frame.opcode {
            case .binary: LocalTerminal.write(frame.unmaskedData.readableBytesView)
            case .text:
                let message = TerminalMessage(parsing: Array(frame.unmaskedData.readableBytesView))
                switch message {
                case .snapshot(let seq, let data):
                    LocalTerminal.write((LocalTerminal.sane + "\u{1b}[H\u{1b}[2J").utf8)
                    LocalTerminal.write(data)
                    try await saw(seq, outbound)
                case .mark(let seq): try await saw(seq, outbound)
                default: source.yield(.message(message))
                }
            case .ping:
                try await outbound.write(
                    WebSocketFrame(fin: true, opcode: .pong, maskKey: .random(), data: frame.unmaskedData))
            case .connectionClose: throw Closed()
            default: break
            }
        }
        throw Closed()
    }

    private func saw(_ seq: UInt64, _ outbound: Writer) async throws {
        progress.withLock { $0.seen = seq }
        try await outbound.write(.text(TerminalRequest.ack(seq).text))
    }

    /// A network that drops packets says nothing: ask, and give up after three silences.
    private static func keepAlive(_ outbound: Writer, _ heard: LastHeard) async throws {
        while true {
            try await Task.sleep(for: .seconds(15))
            if heard.silence > .seconds(45) { throw Silence() }
            try await outbound.write(
                WebSocketFrame(fin: true, opcode: .ping, maskKey: .random(), data: ByteBuffer()))
        }
    }
}

/// When the server was last heard.
private final class LastHeard: Sendable {
    private let time = Mutex(ContinuousClock.now)
    func now() { time.withLock { $0 = .now } }
    var silence: Duration { ContinuousClock.now - time.withLock { $0 } }
}
