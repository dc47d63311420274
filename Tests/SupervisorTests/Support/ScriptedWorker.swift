import Foundation
import Glibc
import NIOCore
import NIOPosix
import SessionCore
import Synchronization
import WorkerControl

/// A worker that speaks the real control protocol on a real socket and otherwise does what a test tells it.
final class ScriptedWorker: Sendable {
    struct State {
        var status: WorkerStatus
        var events: [SessionEvent] = []
        var connections: [ObjectIdentifier: any Channel] = [:]
        var subscribers: Set<ObjectIdentifier> = []
        var inputs: [(text: String, clientID: String?)] = []
        var accepted: [String: UInt64] = [:]
        var recorded: [EventType] = []
        var stops: [Double] = []
        var returns: [Bool] = []
        var credentials: [CredentialChange] = []
        var isOver = false
        var version = ControlRequest.version
        var program: ProgramIdentity?
        // Faults
        var isSilent = false
        /// Accepts connections and does not even say who it is, as a stopped process.
        var isMute = false
        var ignoresStop = false
        var refusesFreeze: String?
        /// What it was told about copies of its files.
        var holds: [String] = []
        var refusesInput: (code: String, detail: String)?
        // A spare's
        var cliVersion = "2.1.329"
        var refusesClaim: String?
        var claims: [String?] = []
    }

    let id: SessionID
    let incarnation: Int
    let identity: (pid: Int32, startTime: UInt64)
    let state: Mutex<State>
    private let listener: Mutex<(any Channel)?> = Mutex(nil)
    /// Stands for the worker's process where a test kills it.
    private let process: Process?

    /// Listens at `<runtime>/w/<id>/control.sock`.
    init(
        _ request: LaunchRequest, runtime: String, group: any EventLoopGroup, mortal: Bool, activity: Activity = .idle
    ) async throws {
        id = request.sessionID
        incarnation = request.incarnation
        let now = Date()
        state = Mutex(
            State(
                status: WorkerStatus(
                    activity: activity, activitySince: now, activitySource: "status_file", backgroundShell: false,
                    lastInput: nil, lastOutput: nil, clients: [], lastSequence: request.firstSequence - 1,
                    size: request.size, transcriptPath: nil)))
        state.withLock { $0.status.isSpare = request.isSpare }
        if mortal {
            let process = Process()
            process.executableURL = URL(filePath: "/bin/sleep")
            process.arguments = ["600"]
            // One that a failing test leaves behind holds up nobody who reads what the tests print.
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            self.process = process
            identity = (process.processIdentifier, Self.startTime(process.processIdentifier))
        } else {
            process = nil
            identity = (getpid(), Self.startTime(getpid()))
        }
        let folder = "\(runtime)/w/\(id)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let bootstrap = ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        ByteToMessageHandler(ControlFrameDecoder()), Handler(worker: self))
                }
            }
        let channel = try await StandInListener.bind(bootstrap, to: "\(folder)/control.sock")
        listener.withLock { $0 = channel }
    }

    static func startTime(_ pid: Int32) -> UInt64 {
        let stat = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
        let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
        return fields.count > 19 ? UInt64(fields[19]) ?? 0 : 0
    }

    // MARK: - What a test does with it

    var inputs: [String] { state.withLock { $0.inputs.map(\.text) } }
    var recorded: [EventType] { state.withLock { $0.recorded } }
    var isOver: Bool { state.withLock { $0.isOver } }

    /// Says what the session does, as the state engine would.
    func become(_ activity: Activity, since: Date = Date()) {
        state.withLock {
            $0.status.activity = activity
            $0.status.activitySince = since
        }
        emit(.sessionActivity, ["activity": .string(activity.rawValue)])
    }

    @discardableResult
    func emit(_ type: EventType, _ data: JSONValue = [:]) -> UInt64 {
        let (event, readers) = state.withLock { state in
            state.status.lastSequence += 1
            let event = SessionEvent(
                seq: state.status.lastSequence, time: Date(), sessionID: id, incarnation: incarnation, type: type,
                data: data)
            state.events.append(event)
            return (event, state.subscribers.compactMap { state.connections[$0] })
        }
        for reader in readers { send(.event(event), to: reader) }
        return event.seq
    }

    /// The command ends by itself, or after a stop.
    func end(code: Int32?, signal: Int32? = nil, requested: Bool = false, lines: String = "") {
        let (connections, last) = state.withLock { state in
            state.isOver = true
            return (Array(state.connections.values), state.status.lastSequence)
        }
        let end = WorkerEnd(
            exit: code == nil && signal == nil ? nil : ExitStatus(code: code, signal: signal), requested: requested,
            lastSequence: last, lastLines: lines)
        for connection in connections { send(.ended(end), to: connection) }
        close()
    }

    /// Killed with -9: sockets close, the process is gone, nothing was said.
    func crash() {
        state.withLock { $0.isOver = true }
        // Not waited for: that blocks a thread of the pool, and a zombie counts as dead.
        kill(identity.pid, process == nil ? 0 : SIGKILL)
        close()
    }

    /// Cuts the supervisor's connection and goes on.
    func hangUp() {
        let channels = state.withLock { state in
            state.subscribers = []
            return Array(state.connections.values)
        }
        for channel in channels { channel.close(promise: nil) }
    }

    func close() {
        listener.withLock {
            $0?.close(promise: nil)
            $0 = nil
        }
        hangUp()
        if process != nil { kill(identity.pid, SIGKILL) }
    }

    /// Sends a document that this version does not know.
    func sendRaw(_ document: String) {
        for channel in state.withLock({ Array($0.connections.values) }) {
            var buffer = channel.allocator.buffer(capacity: document.utf8.count + 4)
            buffer.writeInteger(UInt32(document.utf8.count))
            buffer.writeString(document)
            channel.writeAndFlush(buffer, promise: nil)
        }
    }

    // MARK: - The protocol

    private func send(_ frame: ControlFrame, to channel: any Channel) {
        guard let buffer = try? ControlCodec.frame(frame, allocator: channel.allocator) else { return }
        channel.writeAndFlush(buffer, promise: nil)
    }

    fileprivate func connected(_ channel: any Channel) {
        if state.withLock({ $0.isMute }) { return }
        let (status, version, program) = state.withLock { state in
            state.connections[ObjectIdentifier(channel)] = channel
            return (state.status, state.version, state.program)
        }
        send(
            .hello(
                WorkerHello(
                    version: version, sessionID: id, incarnation: incarnation, pid: identity.pid,
                    startTime: identity.startTime, status: status, program: program)), to: channel)
    }

    fileprivate func disconnected(_ channel: any Channel) {
        state.withLock {
            $0.connections[ObjectIdentifier(channel)] = nil
            $0.subscribers.remove(ObjectIdentifier(channel))
        }
    }

    fileprivate func take(_ request: ControlRequest, from channel: any Channel) {
        guard !state.withLock({ $0.isSilent }) else { return }
        func reply(_ reply: ControlReply) { send(.reply(id: request.id, reply), to: channel) }
        switch request.command {
        case .subscribe(let since):
            reply(.done)
            let events = state.withLock { state in
                state.subscribers.insert(ObjectIdentifier(channel))
                return state.events.filter { $0.seq > since }
            }
            for event in events { send(.event(event), to: channel) }
        case .input(let text, let clientID, _):
            if let refusal = state.withLock({ $0.refusesInput }) {
                return reply(.refused(code: refusal.code, detail: refusal.detail))
            }
            if let clientID, let seq = state.withLock({ $0.accepted[clientID] }) { return reply(.accepted(seq: seq)) }
            let seq = emit(.inputAccepted, ["text": .string(text)])
            state.withLock { state in
                state.inputs.append((text, clientID))
                state.status.lastInput = Date()
                if let clientID { state.accepted[clientID] = seq }
            }
            reply(.accepted(seq: seq))
        case .interrupt: reply(.done)
        case .session: reply(.refused(code: "not_structured", detail: "no"))
        case .upload: reply(.done)
        case .spareReady: reply(.message(["version": .string(state.withLock { $0.cliVersion })]))
        case .claim(let mode):
            let code = state.withLock { state in
                state.claims.append(mode)
                if state.refusesClaim == nil { state.status.isSpare = nil }
                return state.refusesClaim
            }
            reply(code.map { .refused(code: $0, detail: "no") } ?? .message([:]))
        case .screen(let format):
            reply(
                .screen(
                    ScreenContent(
                        size: .standard, cursor: TerminalPosition(row: 0, col: 0), seq: 1, title: nil, format: format,
                        content: "a screen")))
        case .status: reply(.status(state.withLock { $0.status }))
        case .record(let type, let data):
            state.withLock { $0.recorded.append(type) }
            emit(type, data)
            reply(.done)
        case .freeze:
            let code = state.withLock { state in
                if state.refusesFreeze == nil { state.status.frozenSince = Date() }
                return state.refusesFreeze
            }
            reply(code.map { .refused(code: $0, detail: "no") } ?? .done)
        case .hold:
            let refusal = state.withLock { state in
                state.holds.append("hold")
                return state.refusesFreeze
            }
            reply(refusal.map { .refused(code: $0, detail: "no") } ?? .done)
        case .release:
            state.withLock { $0.holds.append("release") }
            reply(.done)
        case .stop(let grace, let returns):
            reply(.done)
            let obeys = state.withLock { state in
                state.stops.append(grace)
                state.returns.append(returns ?? false)
                return !state.ignoresStop
            }
            if obeys { end(code: 143, requested: true) }
        case .credential(let change):
            state.withLock { $0.credentials.append(change) }
            reply(.done)
        case .dialect(let name, let message): reply(.message(["name": .string(name), "echo": message]))
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let worker: ScriptedWorker
        init(worker: ScriptedWorker) { self.worker = worker }

        func channelActive(context: ChannelHandlerContext) { worker.connected(context.channel) }
        func channelInactive(context: ChannelHandlerContext) { worker.disconnected(context.channel) }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard let request = try? ControlCodec.decode(ControlRequest.self, from: unwrapInboundIn(data)) else {
                return context.close(promise: nil)
            }
            worker.take(request, from: context.channel)
        }
    }
}
