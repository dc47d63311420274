import CLinux
import Foundation
import Glibc
import Policy
import Sandbox
import SessionCore
import Synchronization
import WorkerControl

/// The real `rookery-launcher serve`, spoken to over its socket as a supervisor would.
final class RunningLauncher: Sendable {
    let process: ChildProcess
    let scratch: Scratch
    private let socket: OwnedDescriptor
    private let state = Mutex(State())
    /// Serializes requests' numbers and the reader.
    private struct State {
        var next: UInt64 = 1
        var replies: [UInt64: LauncherReply] = [:]
        var closed = false
        var exit: ChildProcess.Exit?
    }

    enum Mode: Sendable {
        /// As root, workers as this uid.
        case root(service: UInt32)
        /// As an ordinary user: this uid, or the caller's own where that is one.
        case rootless(uid: UInt32)
    }

    init(_ scratch: Scratch, _ mode: Mode, guardian: Bool = false) throws {
        self.scratch = scratch
        let (ours, theirs) = try DescriptorMessages.socketPair(type: Int32(SOCK_SEQPACKET.rawValue))
        try SystemError.check("SO_PASSCRED", rk_pass_credentials(theirs.number))
        let uid: UInt32
        switch mode {
        case .root(let service): uid = service
        case .rootless(let own): uid = own
        }
        var arguments = [
            "rookery-launcher", "serve", "--control-fd", "3", "--state-dir", "\(scratch.path)/state", "--runtime-dir",
            "\(scratch.path)/run", "--service-uid", "\(uid)", "--service-gid", "\(uid)", "--libexec-dir",
            "\(scratch.path)/libexec", "--images", "\(scratch.path)/bin/images",
        ]
        if !guardian { arguments.append("--guarded") }
        if case .rootless = mode { arguments.append("--rootless") }
        var spawn = Spawn(
            program: try Spawn.open(program: Products.path("rookery-launcher")), arguments: arguments,
            environment: ["PATH=/usr/bin:/bin"], descriptors: [theirs])
        let log = Glibc.open("\(scratch.path)/bin/launcher.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        spawn.standardError = OwnedDescriptor(owning: log)
        if case .rootless(let uid) = mode, geteuid() == 0 { spawn.user = (uid, uid) }
        process = try spawn.start()
        socket = ours
        let reader = Thread { [weak self, ours] in
            while let message = try? DescriptorMessages.receive(from: ours, capacity: LauncherMessage.largest),
                !message.bytes.isEmpty
            {
                guard
                    let envelope = try? JSONDecoder().decode(LauncherReplyEnvelope.self, from: Data(message.bytes))
                else { break }
                self?.state.withLock { $0.replies[envelope.id] = envelope.reply }
            }
            self?.state.withLock { $0.closed = true }
        }
        reader.start()
    }

    /// Told by the guardian that the launcher was killed.
    var sawRestart: Bool { state.withLock { $0.replies[LauncherMessage.restart] != nil } }

    /// Sends a request and waits for its reply; nil when the launcher closed the socket first.
    func ask(_ request: LauncherRequest) async throws -> LauncherReply? {
        let id = state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
        do {
            try send([UInt8](JSONEncoder().encode(LauncherRequestEnvelope(id: id, request: request))))
        } catch let error as SystemError where error.errno == EPIPE {
            return nil
        }
        return await reply(id)
    }

    /// Has another process write to our end of the socket: empty, too long, and a request.
    func sendAsAnotherProcess() throws {
        let program = """
            import socket
            s = socket.socket(fileno=3)
            for message in [b"", b"x" * 130000 + b"y" * 2000, b'{"id":999,"request":{"capabilities":{}}}']:
                s.send(message)
            """
        let spawn = Spawn(
            program: try Spawn.open(program: "/usr/bin/python3"),
            arguments: ["python3", "-c", program], environment: ["PATH=/usr/bin:/bin"], descriptors: [socket])
        guard try spawn.start().waitForExit() == .code(0) else { throw POSIXError(.EPROTO) }
    }

    func send(_ bytes: [UInt8]) throws { try DescriptorMessages.send(bytes, over: socket) }

    func reply(_ id: UInt64) async -> LauncherReply? {
        var reply: LauncherReply?
        _ = await eventually(within: 60) {
            state.withLock { state in
                reply = state.replies.removeValue(forKey: id)
                return reply != nil || state.closed
            }
        }
        return reply
    }

    func hasReply(_ id: UInt64) -> Bool { state.withLock { $0.replies[id] != nil } }

    func launch(_ request: LaunchRequest) async throws -> LaunchedSession {
        switch try await ask(.launch(request)) {
        case .launched(let session): return session
        case .failed(let failure): throw failure
        default: throw POSIXError(.EPROTO)
        }
    }

    /// The failure of a request that must not succeed.
    func failure(_ request: LauncherRequest) async throws -> LaunchFailure? {
        if case .failed(let failure) = try await ask(request) { return failure }
        return nil
    }

    func clean(_ id: SessionID) async throws -> Bool {
        if case .done = try await ask(.clean(CleanRequest(sessionID: id))) { return true }
        return false
    }

    /// Closes the socket and waits for the end.
    func stop() async -> ChildProcess.Exit? {
        shutdown(socket.number, Int32(SHUT_RDWR))
        if let exit = state.withLock({ $0.exit }) { return exit }
        var exit: ChildProcess.Exit?
        _ = await eventually {
            exit = (try? process.exitIfEnded()) ?? nil
            return exit != nil
        }
        if exit == nil { process.kill() }
        state.withLock { $0.exit = exit }
        return exit
    }

    /// Ends it without warning.
    func kill() {
        process.kill()
        state.withLock { $0.exit = .signal(SIGKILL) }
    }

    /// Pids of its children, zombies included.
    var children: [Int32] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.pid)/task")) ?? []
        return tasks.flatMap { task in
            ((try? String(contentsOfFile: "/proc/\(process.pid)/task/\(task)/children", encoding: .utf8)) ?? "")
                .split(separator: " ").compactMap { Int32($0) }
        }
    }

    var mounts: String { (try? String(contentsOfFile: "/proc/\(process.pid)/mountinfo", encoding: .utf8)) ?? "" }
}

extension LaunchRequest {
    /// A session that runs the script, with everything else plain.
    static func plain(_ id: SessionID = SessionID(), slot: Int, start: String) -> LaunchRequest {
        LaunchRequest(
            sessionID: id, incarnation: 1, uidSlot: slot,
            rules: SandboxRules(
                limits: ResourceLimits(
                    memory: .mebibytes(256), cpuPercent: 100, pids: 64, openFiles: 256, temporary: .mebibytes(8))),
            startCommand: start, claudeBinary: nil, environment: ["PATH": "/usr/bin:/bin", "HOME": "/home/agent"],
            managedSettings: nil, size: .standard, firstSequence: 1, gatewaySocket: "/nonexistent/gateway.sock",
            logBytes: 1 << 20)
    }
}
