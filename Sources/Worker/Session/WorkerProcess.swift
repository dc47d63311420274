import ClaudeCode
import Confinement
import Dispatch
import Foundation
import Glibc
import Logging
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOPosix
import SessionCore
import WorkerControl

/// The program `rookery-worker`: one session on one event loop, from its configuration to its end.
public enum WorkerProcess {
    /// Runs the worker; returns when the session is over.
    ///
    /// - Returns: the process's exit status: 0 after a session, 1 when none could be started. Then one line on the
    ///   ready pipe and on standard error says why.
    public static func run() -> Int32 {
        _ = signal(SIGPIPE, SIG_IGN)
        umask(0o077)
        let configuration: WorkerConfiguration
        do {
            configuration = try readConfiguration()
        } catch {
            complain("rookery-worker: the configuration on descriptor 3 cannot be read: \(error)")
            return 1
        }
        var logger = Logger(label: "worker", factory: { StreamLogHandler.standardError(label: $0) })
        logger[metadataKey: "session"] = "\(configuration.sessionID)"
        let slave: Int32
        let autogroup = GivingWay.openGroup()
        do {
            slave = try TerminalDevice.slave(of: configuration.descriptors.terminal)
            try confine(configuration, logger)
        } catch {
            logger.error("the session cannot be served", metadata: ["error": "\(error)"])
            report(ready: configuration.descriptors.ready, "error: \(error)")
            return 1
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let finished = loop.makePromise(of: Void.self)
        let log = logger
        ignoreStopSignals()
        do {
            let started = loop.flatSubmit {
                start(configuration, slave: slave, autogroup: autogroup, on: loop, logger: log, finished: finished)
            }
            let worker = try started.wait()
            let sockets = [WorkerSockets.control, WorkerSockets.client].compactMap {
                SocketFile("\(configuration.runtimeDirectory)/\($0)")
            }
            let signals = onStopSignal { loop.execute { worker.value.requestStop(grace: 10) } }
            report(ready: configuration.descriptors.ready, "ready")
            log.info("serving", metadata: ["incarnation": "\(configuration.incarnation)"])
            try withExtendedLifetime(signals) { try finished.futureResult.wait() }
            for socket in sockets { socket.remove() }
            return 0
        } catch {
            finished.succeed()
            log.error("the session cannot be served", metadata: ["error": "\(error)"])
            report(ready: configuration.descriptors.ready, "error: \(error)".replacing("\n", with: " "))
            return 1
        }
    }

    /// Gives up, while there is one thread, all but the session's own files, its sockets and what it has open.
    private static func confine(_ configuration: WorkerConfiguration, _ logger: Logger) throws {
        guard configuration.confined else {
            logger.warning("not confined: --no-confinement is for finding faults only")
            return
        }
        let confinement = Confinement(
            files: FileRules(
                readable: FileRules.system, writable: [configuration.runtimeDirectory],
                writableDescriptors: [configuration.descriptors.home]
                    + [configuration.descriptors.workspace, configuration.descriptors.journal].compactMap { $0 }),
            ports: .none)
        for gap in try confinement.apply() { logger.notice("weaker confinement", metadata: ["reason": "\(gap)"]) }
    }

    private static func start(
        _ configuration: WorkerConfiguration, slave: Int32, autogroup: Int32, on loop: any EventLoop, logger: Logger,
        finished: EventLoopPromise<Void>
    ) -> EventLoopFuture<NIOLoopBound<SessionWorker>> {
        do {
            let journal = try JournalStart.open(configuration, on: loop, logger)
            try HomeDirectory(descriptor: configuration.descriptors.home).seed(
                isFirst: configuration.incarnation == 1)
            let opened = NIOLoopBound(journal, eventLoop: loop)
            let streams = configuration.descriptors.streams.map {
                StreamDevice.open($0, largest: StreamMessage.largest, on: loop).map(Optional.some)
            }
            return try TerminalDevice.open(master: configuration.descriptors.terminal, slave: slave, on: loop)
                .and(streams ?? loop.makeSucceededFuture(nil))
                .flatMap { terminal, streams in
                    let worker = SessionWorker(
                        configuration: configuration, terminal: terminal.value, journal: opened.value,
                        givingWay: GivingWay(group: autogroup, on: loop), on: loop, logger: logger
                    ) { finished.succeed() }
                    worker.start(streams?.value)
                    let bound = NIOLoopBound(worker, eventLoop: loop)
                    let listener = SandboxListener(
                        sessionID: configuration.sessionID, gatewaySocket: configuration.gatewaySocket,
                        egressSocket: configuration.egressSocket, logger: logger,
                        onReport: { report, body, call in worker.take(report, body, call) },
                        onStream: worker.structured?.channel.map { channel in { channel.open($0) } })
                    let folder = configuration.runtimeDirectory
                    var sockets = [
                        ControlListener.bind("\(folder)/\(WorkerSockets.control)", for: worker).map { _ in },
                        ClientListener.bind("\(folder)/\(WorkerSockets.client)", for: worker).map { _ in },
                    ]
                    if let descriptor = configuration.descriptors.listener {
                        sockets.append(listener.listen(on: descriptor, loop: loop).map { _ in })
                    }
                    return EventLoopFuture.andAllSucceed(sockets, on: loop).flatMapThrowing {
                        bound.value.handOver = try HandOverListener(
                            "\(folder)/\(WorkerSockets.handOver)", for: bound.value)
                        bound.value.startObserving()
                        bound.value.answerViolations(configuration)
                        bound.value.watchSandbox()
                        return bound
                    }
                }
        } catch {
            return loop.makeFailedFuture(error)
        }
    }

    private static func readConfiguration() throws -> WorkerConfiguration {
        guard let data = HomeDirectory.read(WorkerDescriptors.configuration, at: 0, limit: 1 << 20) else {
            throw SystemCallError("pread", errno)
        }
        close(WorkerDescriptors.configuration)
        return try JSONDecoder.rookery.decode(WorkerConfiguration.self, from: data)
    }

    /// Until ``onStopSignal(_:)``. SIGINT is for whoever has a terminal.
    private static func ignoreStopSignals() {
        _ = signal(SIGTERM, SIG_IGN)
        _ = signal(SIGINT, SIG_IGN)
    }

    /// Takes SIGTERM from here on: whoever reads `ready` may send one at once. Not made before, since a source that was never
    /// activated ends the process when it is let go.
    private static func onStopSignal(_ handler: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
        let source = DispatchSource.makeSignalSource(signal: SIGTERM, queue: .global())
        let registered = DispatchSemaphore(value: 0)
        source.setEventHandler(handler: handler)
        source.setRegistrationHandler { registered.signal() }
        source.activate()
        registered.wait()
        return source
    }

    private static func report(ready pipe: Int32, _ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(pipe, bytes, bytes.count)
        close(pipe)
    }

    private static func complain(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(2, bytes, bytes.count)
    }
}

extension SessionWorker {
    /// Refuses the calls that the sandbox's filter leaves to the worker, and tells of them.
    func answerViolations(_ configuration: WorkerConfiguration) {
        guard let socket = configuration.descriptors.violations else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        let responder = ViolationResponder(socket: socket, names: configuration.countedCalls) { [loop] violation in
            loop.execute {
                bound.value.emit(
                    .policyViolation, ["call": .string(violation.call), "count": .integer(Int64(violation.count))])
            }
        }
        responder.start()
    }

    /// What came in on the sandbox's listener, for this session: the listener is its alone.
    func take(_ report: SandboxReport, _ body: ByteBuffer, _ call: HookCall) {
        switch report {
        case .hook(let event): hook(event, body, call)
        case .channel: channel(body, call)
        }
    }

    /// A hook's report from inside the sandbox.
    private func hook(_ event: Substring, _ body: ByteBuffer, _ call: HookCall) {
        func refuse(_ status: HTTPResponseStatus) {
            call.answer(
                .problem(status, code: "bad_hook", detail: "this is not a report of a hook that Rookery has set"))
        }
        guard let event = HookEvent(rawValue: String(event)) else { return refuse(.notFound) }
        guard let report = HookReport(parsing: Data(buffer: body), expected: event) else { return refuse(.badRequest) }
        if event == .permissionRequest { hookCalls.arriving = call }
        self.report(report)
        hookCalls.arriving = nil
        // What asks for a permission waits for the answer; everything else goes on.
        if !hookCalls.holds(call) { call.answer(.json(.ok, [:])) }
    }
}
