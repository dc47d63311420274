import CLinux
import Foundation
import Glibc
import NIOCore
import Policy
import SessionCore
import Synchronization
import WorkerControl

/// A launcher at the other end of a real socket pair: it starts ``ScriptedWorker``s, and fails on demand.
final class ScriptedLauncher: Sendable {
    enum Script: Sendable {
        case launch
        case fail(LaunchFailure)
        /// Says that it launched, and no worker listens.
        case launchNothing
        /// Never answers, and starts nothing.
        case silence
        /// Ends without an answer.
        case die
        /// Launches, after this long.
        case slow(Duration)
        /// Launches a command that ends at once.
        case launchAndEnd(code: Int32, lines: String)
        /// Launches a worker that claims another session.
        case launchImpostor
    }

    struct State {
        /// For the next launches, in order; then ``Script/launch``.
        var scripts: [Script] = []
        var workers: [SessionID: ScriptedWorker] = [:]
        var launches: [LaunchRequest] = []
        var cleaned: [SessionID] = []
        var removed: [RemoveRequest] = []
        var swept: [[SessionID]] = []
        var failsRemove: LaunchFailure?
        /// Cleanings that fail before one does not.
        var failsClean = 0
        var underWay = 0
        var mostAtOnce = 0
        var mortal = false
        var activity = Activity.idle
        /// Which build its workers are.
        var program: ProgramIdentity?
        /// What the Claude Code of its spares says it is.
        var cliVersion = "2.1.329"
        /// Its spares refuse to be claimed.
        var refusesClaim: String?
        var cgroups: [String: String] = [:]
        var limits: [EnforcedLimit] = []
        var memoryKills: [MemoryKill] = []
        var isOpen = true
    }

    /// Sessions on one page of an inventory.
    private static let pageSize = 2

    let state = Mutex(State())
    /// The supervisor's end, for `LauncherClient`.
    let clientDescriptor: Int32
    private let descriptor: Int32
    private let runtime: String
    private let group: any EventLoopGroup

    init(runtime: String, group: any EventLoopGroup) throws {
        var pair: [Int32] = [-1, -1]
        guard rk_socket_pair(Int32(SOCK_SEQPACKET.rawValue), &pair) == 0 else { throw POSIXError(.EMFILE) }
        clientDescriptor = pair[0]
        descriptor = pair[1]
        self.runtime = runtime
        self.group = group
        let thread = Thread { [self] in serve() }
        thread.start()
    }

    func worker(_ id: SessionID) -> ScriptedWorker? { state.withLock { $0.workers[id] } }
    func script(_ scripts: Script...) { state.withLock { $0.scripts += scripts } }

    /// Ends the launcher, as a kill would.
    func die() {
        let wasOpen = state.withLock { state in
            defer { state.isOpen = false }
            return state.isOpen
        }
        if wasOpen { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    private func serve() {
        var buffer = [UInt8](repeating: 0, count: LauncherMessage.largest)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            guard
                let envelope = try? JSONDecoder.rookery.decode(
                    LauncherRequestEnvelope.self, from: Data(buffer[..<count]))
            else { break }
            Task {
                guard let reply = await handle(envelope.request) else { return }
                let message = try JSONEncoder.rookery.encode(LauncherReplyEnvelope(id: envelope.id, reply: reply))
                _ = message.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            }
        }
        state.withLock { $0.isOpen = false }
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    private func handle(_ request: LauncherRequest) async -> LauncherReply? {
        switch request {
        case .launch(let launch): return await self.launch(launch)
        case .clean(let clean):
            let (worker, fails) = state.withLock { state in
                state.cleaned.append(clean.sessionID)
                state.failsClean -= 1
                return (state.workers.removeValue(forKey: clean.sessionID), state.failsClean >= 0)
            }
            worker?.close()
            if fails { return .failed(LaunchFailure(step: "clean", errno: EBUSY, message: "busy", remedy: "wait")) }
            return .done
        case .remove(let remove):
            if let failure = state.withLock({ $0.failsRemove }) { return .failed(failure) }
            state.withLock { $0.removed.append(remove) }
            try? FileManager.default.removeItem(atPath: "\(runtime)/w/\(remove.sessionID)")
            return .done
        case .sweep(let sweep):
            state.withLock { $0.swept.append(sweep.live) }
            return .swept([])
        case .inventory(let page):
            let names = ["sessions", "journals"].flatMap {
                (try? FileManager.default.contentsOfDirectory(atPath: "\(runtime)/state/\($0)")) ?? []
            }
            let ids = Set(names.compactMap { SessionID(parsing: $0) }).sorted { $0.description < $1.description }
            return .inventory(
                Array(ids.filter { $0.description > page.after?.description ?? "" }.prefix(Self.pageSize)))
        case .memoryKills: return .memoryKills(state.withLock { $0.memoryKills })
        case .capabilities:
            return .capabilities(LauncherCapabilities(rootless: true, cgroups: "none", limits: []))
        }
    }

    private func launch(_ request: LaunchRequest) async -> LauncherReply? {
        state.withLock { state in
            state.underWay += 1
            state.mostAtOnce = max(state.mostAtOnce, state.underWay)
        }
        defer { state.withLock { $0.underWay -= 1 } }
        let (script, mortal, activity, cgroups) = state.withLock { state in
            state.launches.append(request)
            return (
                state.scripts.isEmpty ? .launch : state.scripts.removeFirst(), state.mortal, state.activity,
                state.cgroups
            )
        }
        var served = request
        switch script {
        case .fail(let failure): return .failed(failure)
        case .silence: return nil
        case .die:
            die()
            return nil
        case .launchNothing:
            return .launched(LaunchedSession(workerPID: 1, sandboxPID: 1, limits: [], cgroups: [:]))
        case .slow(let time): try? await Task.sleep(for: time)
        case .launchImpostor: served.incarnation += 1
        case .launch, .launchAndEnd: break
        }
        guard
            let worker = try? await ScriptedWorker(
                served, runtime: runtime, group: group, mortal: mortal, activity: activity)
        else {
            return .failed(LaunchFailure(step: "test", errno: 0, message: "no scripted worker", remedy: "none"))
        }
        let (program, version, refusesClaim) = state.withLock { ($0.program, $0.cliVersion, $0.refusesClaim) }
        worker.state.withLock { worker in
            worker.program = program
            worker.cliVersion = version
            worker.refusesClaim = refusesClaim
        }
        let isOpen = state.withLock { state in
            if state.isOpen { state.workers[request.sessionID] = worker }
            return state.isOpen
        }
        // The test is over: nobody would end it.
        guard isOpen else {
            worker.close()
            return nil
        }
        if case .launchAndEnd(let code, let lines) = script {
            Task {
                while worker.state.withLock({ $0.subscribers.isEmpty }) { try await Task.sleep(for: .milliseconds(5)) }
                worker.end(code: code, lines: lines)
            }
        }
        return .launched(
            LaunchedSession(
                workerPID: worker.identity.pid, sandboxPID: worker.identity.pid, limits: state.withLock { $0.limits },
                cgroups: cgroups))
    }
}
