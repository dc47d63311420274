import CLinux
import Foundation
import Glibc
import Images
public import Logging
import Policy
public import Sandbox
import SessionCore
public import WorkerControl

/// Serves one supervisor over one SOCK_SEQPACKET socket until that closes. Every request runs on a thread of its own.
public final class LauncherService: Sendable {
    private let configuration: LauncherConfiguration
    private let socket: OwnedDescriptor
    private let peer: LauncherPeer
    private let directories: SessionDirectories
    private let cgroups: CgroupParent
    private let reaper: Reaper
    private let images: ImageMounts
    private let locks = SessionLocks()
    private let order = LaunchOrder()
    private let lock: LauncherLock
    private let answers: AnswerNotes?
    private let logger: Logger

    /// Requests that run at once; more wait in the socket.
    private static let concurrency = 64
    /// Sessions that one `swept` can name within ``LauncherMessage/largest``.
    private static let mostSwept = 2500
    /// Sessions on one page of an inventory, likewise.
    private static let mostListed = 2500

    /// - Parameter answers: for the guardian, of a launcher that has one.
    /// - Throws: when the directories cannot be used, or the peer is not a supervisor.
    public init(
        _ configuration: LauncherConfiguration, socket: OwnedDescriptor, answers: AnswerNotes? = nil, logger: Logger
    ) throws(LaunchFailure) {
        peer = try LauncherPeer(of: socket, serviceUID: configuration.serviceUID)
        self.configuration = configuration
        self.socket = socket
        self.answers = answers
        self.logger = logger
        directories = try SessionDirectories(configuration)
        lock = try LauncherLock(in: directories.records, control: socket)
        cgroups = CgroupParent(
            .claim(for: [getpid(), getppid()], of: CgroupParent.name(of: configuration.stateDirectory)) { fault in
                logger.warning(
                    "no cgroup of our own", metadata: ["error": "\(fault.message)", "remedy": "\(fault.remedy)"])
            }, stateDirectory: configuration.stateDirectory)
        reaper = try Reaper()
        SessionCleaning(directories: directories, cgroups: cgroups).removeDrafts()
        images = ImageMounts(ImageStore(directory: configuration.imagesDirectory))
        if !configuration.rootless {
            do { try images.store.prepare() } catch { throw LaunchFailure(error) }
        }
    }

    /// Returns when the supervisor has closed the socket and the last request is done. Sessions go on.
    public func run() throws(LaunchFailure) {
        let reaper = reaper
        Thread { reaper.run() }.start()
        let fairness = Fairness(cgroups, disks: directories.disks, records: directories.records)
        fairness.start()
        defer { fairness.stop() }
        let slots = DispatchSemaphore(value: Self.concurrency)
        let running = DispatchGroup()
        defer { running.wait() }
        while true {
            let message: [UInt8]
            do {
                guard let received = try peer.receive(from: socket) else {
                    logger.error("a message that the supervisor did not send was dropped")
                    continue
                }
                message = received
            } catch {
                if error.errno == ECONNRESET { return }
                throw LaunchFailure(
                    step: "socket", errno: error.errno, message: "\(error)",
                    remedy: "a request may have \(LauncherMessage.largest) bytes and no descriptors")
            }
            if message.isEmpty { return }
            let envelope = try IncomingRequest(message)
            var number: UInt64 = 0
            if case .request(let request) = envelope { number = order.received(request.request) }
            let received = number
            slots.wait()
            running.enter()
            let thread = Thread { [self] in
                answer(envelope, received: received)
                slots.signal()
                running.leave()
            }
            thread.stackSize = 1 << 20
            thread.start()
        }
    }

    private func answer(_ incoming: IncomingRequest, received: UInt64) {
        let id: UInt64
        let reply: LauncherReply
        switch incoming {
        case .request(let envelope):
            id = envelope.id
            reply = self.reply(to: envelope.request, received: received)
        case .unreadable(let sender, let problem):
            id = sender
            reply = .failed(
                LaunchFailure(
                    step: "request", errno: EBADMSG, message: "the request cannot be read: \(problem.prefix(300))",
                    remedy: "run a launcher and a supervisor of the same release"))
        }
        do {
            let data = try JSONEncoder().encode(LauncherReplyEnvelope(id: id, reply: reply))
            // First: whoever reads the answer may end this process at once.
            if case .failed = reply {} else { answers?.add() }
            try DescriptorMessages.send([UInt8](data), over: socket)
        } catch {
            // The supervisor has gone; what was started goes on and is found by the next one.
            logger.warning("reply not sent", metadata: ["error": "\(error)"])
        }
    }

    /// Carries one request out.
    /// - Parameter received: its number among all messages.
    func reply(to request: LauncherRequest, received: UInt64 = .max) -> LauncherReply {
        let cleaning = SessionCleaning(directories: directories, cgroups: cgroups)
        do throws(LaunchFailure) {
            switch request {
            case .launch(let launch):
                let run = { () throws(LaunchFailure) -> LauncherReply in
                    .launched(
                        try SessionLaunch(
                            directories: self.directories, cgroups: self.cgroups, reaper: self.reaper,
                            images: self.images
                        ).run(launch))
                }
                return try locks.withLock(launch.sessionID) { () throws(LaunchFailure) in
                    // What is copied is neither started nor removed meanwhile. No two launches wait for each other: a
                    // session is older than what begins with its copy.
                    guard let source = launch.filesOf, source != launch.sessionID else { return try run() }
                    return try locks.withLock(source, run)
                }
            case .clean(let request):
                try locks.withLock(request.sessionID) { () throws(LaunchFailure) in
                    try cleaning.clean(request.sessionID)
                }
                return .done
            case .remove(let request):
                try locks.withLock(request.sessionID) { () throws(LaunchFailure) in
                    try cleaning.remove(request.sessionID, keepWorkspace: request.keepWorkspace)
                }
                return .done
            case .sweep(let request): return .swept(sweep(request, received: received, with: cleaning))
            case .capabilities: return .capabilities(capabilities())
            case .inventory(let request):
                return .inventory(Array(try directories.kept(after: request.after).prefix(Self.mostListed)))
            case .memoryKills(let request):
                let kills = KernelLog.memoryKills(in: "/\(cgroups.name)/\(request.sessionID)")
                return .memoryKills(Array(kills.suffix(min(max(request.latest, 0), 32))))
            }
        } catch {
            logger.warning(
                "request failed",
                metadata: ["step": "\(error.step)", "errno": "\(error.errno)", "error": "\(error.message)"])
            return .failed(error)
        }
    }

    /// One that cannot be cleaned is left to the next sweep, and not named.
    private func sweep(_ request: SweepRequest, received: UInt64, with cleaning: SessionCleaning) -> [SessionID] {
        var swept: [SessionID] = []
        for id in cleaning.leftovers(live: request.live) where swept.count < Self.mostSwept {
            do throws(LaunchFailure) {
                let isCleaned = try locks.withLock(id) { () throws(LaunchFailure) in
                    // Asked under the lock: it may have been launched while this waited.
                    if order.isNewer(id, than: received) { return false }
                    try cleaning.clean(id)
                    return true
                }
                if isCleaned { swept.append(id) }
            } catch {
                logger.error("sweep failed", metadata: ["session": "\(id)", "error": "\(error.message)"])
            }
        }
        return swept
    }

    /// Finds out by making a cgroup: what the kernel then says is what a session would get.
    private func capabilities() -> LauncherCapabilities {
        var found = cgroups.cgroups
        var limits: [EnforcedLimit]
        do throws(CgroupFault) {
            let (leaf, report) = try cgroups.makeLeaf(SessionID().description, limits: .standard)
            limits = self.limits(report)
            try leaf.end()
            cgroups.removeIfEmpty()
        } catch {
            found = .none(error.message)
            limits = self.limits(
                LimitReport.cgroup(.standard, cgroups: found, leaf: CgroupLeaf(kind: .none, directories: [:])))
        }
        return LauncherCapabilities(rootless: configuration.rootless, cgroups: found.kind.rawValue, limits: limits)
    }

    /// All limits as a new session would have them, given those by cgroup.
    private func limits(_ cgroup: [EnforcedLimit]) -> [EnforcedLimit] {
        let asked = ResourceLimits.standard
        var disk = LimitReport.disk(asked, notEnforced: DiskSupport.lack(configuration) ?? "")
        if DiskSupport.lack(configuration) == nil {
            for index in disk.indices where disk[index].asked != "none" {
                disk[index].enforced = disk[index].asked
                disk[index].by = "loop-image"
                disk[index].note = nil
            }
        }
        return LaunchLimits(SandboxRules(limits: asked), cgroup: cgroup, inside: nil, disk: disk).report
    }
}
