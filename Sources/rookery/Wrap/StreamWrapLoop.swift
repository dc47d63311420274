import Dialects
import Dispatch
import Foundation
import NIOCore
import NIOWebSocket
import SessionCore

/// A program on stream-json between the host that started us and a server: what it says goes to both, and both may give it
/// lines. Without the server it goes on as if there were none.
final class StreamWrapLoop {
    private enum Event: Sendable {
        case said(String)
        case local(String)
        case localEnd
        case signal(Int32)
        case ended(Int32)
        case connection(StreamWrapConnection.Event)
        /// The server did not hear of the end in time.
        case givenUp
    }

    private let program: PipedProgram
    private let connection: StreamWrapConnection
    /// How long the end waits for a server to hear of it.
    private let patience: Duration
    private var record = StreamRecord()
    private var writer: StreamWrapConnection.Writer?
    private var failures = 0
    private var hasSpoken = false
    /// The program is given nothing more.
    private var isClosed = false
    /// Why the server will not have this device.
    private(set) var refusal: Failure?

    init(_ program: PipedProgram, _ connection: StreamWrapConnection, patience: Duration) {
        self.program = program
        self.connection = connection
        self.patience = patience
    }

    /// - Returns: the program's exit status.
    func run() async -> Int32 {
        let (events, source) = AsyncStream<Event>.makeStream()
        program.read {
            source.yield(.said($0))
        } ended: {
            source.yield(.ended($0))
        }
        Thread.detachNewThread {
            Lines.read(STDIN_FILENO) { source.yield(.local($0)) }
            source.yield(.localEnd)
        }
        // A program that is gone is told of by its end.
        signal(SIGPIPE, SIG_IGN)
        let signals = [SIGINT, SIGTERM, SIGHUP].map { number -> any DispatchSourceSignal in
            signal(number, SIG_IGN)
            let arrival = DispatchSource.makeSignalSource(signal: number, queue: .global())
            arrival.setEventHandler { source.yield(.signal(number)) }
            arrival.resume()
            return arrival
        }
        defer { withExtendedLifetime(signals) {} }
        var task = connection.start(after: .zero) { source.yield(.connection($0)) }
        defer { task.cancel() }
        var status: Int32?
        for await event in events {
            switch event {
            case .said(let line):
                Lines.write(line, to: STDOUT_FILENO)
                switch record.said(line) {
                case .record(let record): await send(record.json)
                case .passing(let line): await send(["type": "passing", "line": .string(line)])
                }
            case .local(let line): await give(local: line)
            // Whoever never spoke has left the program to the server.
            case .localEnd:
                guard hasSpoken, !isClosed else { continue }
                isClosed = true
                program.closeInput()
            case .signal(let number): program.signal(number)
            case .connection(.connected(let writer, let received)):
                (self.writer, failures) = (writer, 0)
                for record in record.after(received) { await send(record.json) }
                await send(["type": "ready"])
                if let status { await sendExit(status) }
            case .connection(.give(let line, let request, let by)):
                if isClosed { continue }
                if let given = record.give(line, by: by, request: request) {
                    program.give(line)
                    await send(given.json)
                } else if !record.hasGiven(request) {
                    await send(["type": "refused", "request": .string(request)])
                }
            case .connection(.end): program.signal(SIGINT)
            case .connection(.lost(let error)):
                writer = nil
                if let status, DeviceFrames.Closed.isFarewell(error) { return status }
                if let failure = error as? Failure, case .refused = failure {
                    refusal = failure
                    if let status { return status }
                    continue
                }
                failures += 1
                let delay = min(30_000, 250 << min(failures, 7))
                task = connection.start(after: .milliseconds(delay / 2 + Int.random(in: 0...delay / 2))) {
                    source.yield(.connection($0))
                }
            case .ended(let code):
                if refusal != nil { return code }
                status = code
                await sendExit(code)
                source.yield(.givenUp, after: patience)
            case .givenUp: return status ?? 1
            }
        }
        return status ?? 1
    }

    /// A line of the host's. Words that are no JSON are a prompt: a person has typed them.
    private func give(local line: String) async {
        hasSpoken = true
        var text = line
        switch JSONValue(parsing: line, limit: 16 << 20) {
        case .object(var members)?:
            // The server knows a prompt by its name.
            if members["type"] == "user", members["uuid"]?.string == nil {
                members["uuid"] = .string(UUID().uuidString.lowercased())
                text = JSONValue.object(members).text
            }
        default:
            let prompt = SessionCommand.prompt(text: line, images: [], clientID: nil)
            guard let made = RemoteRequest.line(for: prompt, id: UUID().uuidString.lowercased()) else { return }
            text = made
        }
        guard let given = record.give(text, by: "local", request: nil) else { return }
        program.give(text)
        await send(given.json)
    }

    private func sendExit(_ code: Int32) async {
        await send(["type": "exit", "code": .integer(Int64(code))])
    }

    private func send(_ message: JSONValue) async {
        guard let writer else { return }
        try? await writer.write(.text(message.text))
    }
}
