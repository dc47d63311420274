import Dispatch
import Foundation
import Glibc
import SessionCore
import Synchronization
public import WorkerControl

/// The supervisor's side of the launcher's SOCK_SEQPACKET socket: one JSON document per message, replies matched to
/// their requests by id.
///
/// A class with a mutex rather than an actor: a reply that came before the end of the connection must be taken
/// before it, and hops onto an actor may overtake each other.
public final class LauncherClient: SessionLauncher {
    private struct Waiting {
        var continuation: CheckedContinuation<Result<LauncherReply, LauncherError>, Never>
        var timer: Task<Void, Never>
    }

    private struct State {
        var nextID: UInt64 = 1
        var waiting: [UInt64: Waiting] = [:]
        var outage: String?
    }

    private let descriptor: Int32
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "launcher-client")
    /// Only ever cancelled, which Dispatch allows from any thread.
    private nonisolated(unsafe) let source: any DispatchSourceRead

    /// Takes over a connected SOCK_SEQPACKET socket.
    public init(descriptor: Int32) {
        self.descriptor = descriptor
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        source.setEventHandler { [weak self] in self?.readAvailable() }
        source.setCancelHandler { Glibc.close(descriptor) }
        source.activate()
    }

    deinit { source.cancel() }

    public var outage: String? { state.withLock { $0.outage } }

    /// Ends the connection; the launcher ends with it.
    public func close() { end("it was closed") }

    public func send(
        _ request: LauncherRequest, within limit: Duration
    ) async throws(LauncherError) -> LauncherReply {
        for _ in 0..<Self.mostRetries where request.canBeRepeated {
            do throws(LauncherError) { return try await sendOnce(request, within: limit) } catch .restarted {
                continue
            }
        }
        return try await sendOnce(request, within: limit)
    }

    private static let mostRetries = 2

    private func sendOnce(
        _ request: LauncherRequest, within limit: Duration
    ) async throws(LauncherError) -> LauncherReply {
        let id = state.withLock { state in
            defer { state.nextID += 1 }
            return state.nextID
        }
        guard let message = try? JSONEncoder.rookery.encode(LauncherRequestEnvelope(id: id, request: request)) else {
            throw .tooLarge(0)
        }
        guard message.count <= LauncherMessage.largest else { throw .tooLarge(message.count) }
        return try await withCheckedContinuation { continuation in
            let timer = Task { [weak self] in
                do { try await Task.sleep(for: limit) } catch { return }
                self?.answer(id, .failure(.timedOut(limit)))
            }
            let outage: String? = state.withLock { state in
                if state.outage == nil { state.waiting[id] = Waiting(continuation: continuation, timer: timer) }
                return state.outage
            }
            if let outage {
                timer.cancel()
                continuation.resume(returning: .failure(.gone(outage)))
            } else {
                queue.async { self.write(message, for: id) }
            }
        }.get()
    }

    // MARK: - On the queue

    /// Blocks this queue alone while the launcher's buffer is full; the launcher answers nothing meanwhile either.
    private func write(_ message: Data, for id: UInt64) {
        while state.withLock({ $0.waiting[id] != nil }) {
            let sent = message.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if sent >= 0 { return }
            switch errno {
            case EINTR: continue
            case EAGAIN, ENOBUFS:
                var writable = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&writable, 1, 50)
            default: return end("writing to it: \(String(cString: strerror(errno)))")
            }
        }
    }

    private func readAvailable() {
        var buffer = [UInt8](repeating: 0, count: LauncherMessage.largest + 1)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count > 0 else {
                return end(count == 0 ? "it has ended" : "reading from it: \(String(cString: strerror(errno)))")
            }
            guard count <= LauncherMessage.largest,
                let envelope = try? JSONDecoder.rookery.decode(
                    LauncherReplyEnvelope.self, from: Data(buffer[..<count]))
            else { return end("it sent what is not a reply") }
            guard envelope.id != LauncherMessage.restart else {
                if case .failed(let failure) = envelope.reply { restarted(failure.message) }
                continue
            }
            answer(envelope.id, .success(envelope.reply))
        }
    }

    private func answer(_ id: UInt64, _ result: Result<LauncherReply, LauncherError>) {
        guard let waiting = state.withLock({ $0.waiting.removeValue(forKey: id) }) else { return }
        waiting.timer.cancel()
        waiting.continuation.resume(returning: result)
    }

    /// What was asked of the launcher that was killed has no answer. What is still in the socket goes to the next one, and
    /// its answers find nobody; hence only what can be repeated is.
    private func restarted(_ reason: String) {
        let waiting = state.withLock { state in
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for one in waiting {
            one.timer.cancel()
            one.continuation.resume(returning: .failure(.restarted(reason)))
        }
    }

    private func end(_ reason: String) {
        let waiting: [Waiting] = state.withLock { state in
            guard state.outage == nil else { return [] }
            state.outage = reason
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        source.cancel()
        for one in waiting {
            one.timer.cancel()
            one.continuation.resume(returning: .failure(.gone(reason)))
        }
    }
}

extension LauncherRequest {
    /// Carried out twice it does no more than once.
    fileprivate var canBeRepeated: Bool {
        switch self {
        case .launch: false
        case .clean, .remove, .sweep, .capabilities, .memoryKills, .inventory: true
        }
    }
}
