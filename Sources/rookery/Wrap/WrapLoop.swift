import Foundation
import NIOCore
import NIOWebSocket
import SessionCore

/// A program on this terminal that a server sees too: what it shows goes to both, and both may type. Without the server it
/// goes on as if there were none.
final class WrapLoop {
    private enum Event: Sendable {
        case local(LocalEvent)
        case output([UInt8])
        case ended(Int32)
        case connection(WrapConnection.Event)
        /// Nothing was shown for a moment.
        case quiet
        /// The server did not hear of the end in time.
        case givenUp
    }

    /// How long the end keeps the terminal from its user until the server has heard of it.
    private static let patience = Duration.seconds(2)

    private let program: LocalProgram
    private let connection: WrapConnection
    private let screen: ScreenModel
    private var ring = OutputRing()
    private var watch = PromptWatch()
    private var question: String?
    private var writer: WrapConnection.Writer?
    private var session: Int64?
    /// The last output that was given to a connection.
    private var sent: UInt64 = 0
    private var failures = 0

    init(_ program: LocalProgram, _ connection: WrapConnection, size: TerminalSize) {
        self.program = program
        self.connection = connection
        screen = ScreenModel(size: size, scrollbackLines: 0)
    }

    /// - Returns: the program's exit status.
    func run() async -> Int32 {
        let (events, source) = AsyncStream<Event>.makeStream()
        program.read {
            LocalTerminal.write($0)
            source.yield(.output($0))
        } ended: {
            source.yield(.ended($0))
        }
        let local = LocalEvents { source.yield(.local($0)) }
        defer { withExtendedLifetime(local) {} }
        var task = connect(after: .zero, source)
        defer { task.cancel() }
        var pause: Task<Void, Never>?
        var status: Int32?
        for await event in events {
            switch event {
            case .local(.typed(let bytes)): program.type(bytes)
            case .local(.resized):
                program.resize(LocalTerminal.size)
                screen.resize(to: LocalTerminal.size)
                await send([
                    "type": "resize", "cols": .integer(Int64(screen.size.cols)),
                    "rows": .integer(Int64(screen.size.rows)),
                ])
            case .local(.hungUp): program.signal(SIGHUP)
            case .local(.stopped(let number)): program.signal(number)
            case .output(let bytes):
                screen.feed(ByteBuffer(bytes: bytes))
                _ = screen.takeReplies()
                if let piece = ring.append(bytes) { await send(piece) }
                pause?.cancel()
                pause = Task {
                    try? await Task.sleep(for: .milliseconds(200))
                    if !Task.isCancelled { source.yield(.quiet) }
                }
            case .quiet: await look()
            case .connection(.connected(let writer, let session, let received)):
                let isSame = session == self.session
                (self.writer, self.session, failures) = (writer, session, 0)
                // A server that lost count has what was given to it, as far as anybody knows.
                for piece in ring.after(isSame ? received ?? sent : sent) { await send(piece) }
                if !isSame, let question { await ask(question) }
                if let status { await sendExit(status) }
            case .connection(.typed(let text)): program.type(Array(text.utf8))
            case .connection(.lost(let error)):
                writer = nil
                if let status, DeviceFrames.Closed.isFarewell(error) { return status }
                if let failure = error as? Failure, case .refused = failure {
                    // Not over the program's screen: a bell, and the words when it has ended.
                    LocalTerminal.write([0x07])
                    refusal = failure
                    if let status { return status }
                    continue
                }
                failures += 1
                let delay = min(30_000, 250 << min(failures, 7))
                task = connect(after: .milliseconds(delay / 2 + Int.random(in: 0...delay / 2)), source)
            case .ended(let code):
                // Without a connection there is nobody to wait for: the server finds out by itself.
                if writer == nil { return code }
                status = code
                await sendExit(code)
                source.yield(.givenUp, after: Self.patience)
            case .givenUp: return status ?? 1
            }
        }
        return status ?? 1
    }

    private func sendExit(_ code: Int32) async { await send(["type": "exit", "code": .integer(Int64(code))]) }

    /// Why the server will not have this device.
    private(set) var refusal: Failure?

    private func connect(after delay: Duration, _ source: AsyncStream<Event>.Continuation) -> Task<Void, Never> {
        connection.start(session: session, size: screen.size, after: delay) { source.yield(.connection($0)) }
    }

    private func send(_ message: JSONValue) async {
        guard let writer, let data = try? JSONEncoder.rookery.encode(message) else { return }
        try? await writer.write(.text(String(decoding: data, as: UTF8.self)))
    }

    private func send(_ piece: OutputRing.Piece) async {
        guard writer != nil else { return }
        sent = piece.seq
        await send(["type": "output", "data": .string(piece.text), "seq": .integer(Int64(clamping: piece.seq))])
    }

    private func look() async {
        for change in watch.look(screen.lines()) {
            switch change {
            case .asked(let text):
                question = text
                await ask(text)
            case .gone:
                question = nil
                await send(["type": "prompt_closed"])
            }
        }
    }

    private func ask(_ text: String) async { await send(["type": "prompt", "prompt_text": .string(text)]) }
}
