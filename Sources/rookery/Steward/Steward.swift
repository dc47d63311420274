import API
import CLinux
import Foundation
import Glibc
import Supervisor

/// Stays in front of the supervisor, with the pid that whoever started the service knows, and puts another process of the
/// installed program in its place when the supervisor asks (`rookery upgrade`). It holds the listening sockets meanwhile:
/// who connects is not refused, but waits.
///
/// It may be root, for a supervisor begins as root. It reads nothing of the network's, and from the supervisor the wish to
/// be replaced alone: what is started is the program at the path that this one was started from, with its arguments.
/// One thread.
struct Steward {
    private let program: String
    private let arguments: [String]
    private let environment: [String: String]
    private let sockets: [ListeningSocket]

    static let forwarded = [SIGTERM, SIGINT, SIGHUP, SIGQUIT]

    // In milliseconds.
    private static let checkLimit: Int32 = 60_000
    private static let prepareLimit: Int32 = 30_000
    /// Then it is killed: sessions do not mind, and who connects waits.
    private static let leaveLimit: Int32 = 15_000
    private static let upLimit: Int32 = 120_000

    init(_ configuration: ServeConfiguration, arguments: [String]) throws(ConfigurationError) {
        let user = try configuration.serviceUser.map { name throws(ConfigurationError) in
            try ServiceUser(named: name)
        }
        guard let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            throw ConfigurationError("/proc/self/exe cannot be read: mount /proc")
        }
        program = path
        self.arguments = arguments
        environment = ProcessInfo.processInfo.environment
        // A directory that a Unix socket needs may not be there yet.
        for case .unix(let path) in configuration.allListeners
        where (path as NSString).deletingLastPathComponent == configuration.runtimeDirectory {
            if let user {
                try user.own(directory: configuration.runtimeDirectory, mode: 0o711)
            } else {
                try makeDirectory(configuration.runtimeDirectory, mode: 0o711)
            }
        }
        sockets = try configuration.allListeners.map { listener throws(ConfigurationError) in
            try ListeningSocket(listener, owner: user)
        }
    }

    /// Returns the exit status of the service.
    func run() -> Int32 {
        forwardSignals()
        defer { for socket in sockets { socket.close() } }
        var current: StewardChild
        do throws(ConfigurationError) { current = try start(program, waits: false, last: nil) } catch {
            printError("rookery: \(error)")
            return 1
        }
        while true {
            stewardWard = current.pid
            switch current.next(within: -1) {
            case .said(.replace):
                switch replace(current) {
                case .stays: continue
                case .by(let next): current = next
                case .lost: return 1
                }
            case .said, .nothing: continue
            case .ended(let status):
                current.release()
                return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
            }
        }
    }

    private func start(
        _ path: String, waits: Bool, last: UpgradeOutcome?
    ) throws(ConfigurationError) -> StewardChild {
        try StewardChild(
            path: path, arguments: arguments, environment: environment, sockets: sockets
        ) { control in
            Inheritance(
                control: control,
                listeners: Dictionary(
                    sockets.map { ($0.listener.description, $0.descriptor) }, uniquingKeysWith: { first, _ in first }),
                waits: waits, last: last)
        }
    }

    // MARK: - Replacing it

    private enum Replacement {
        /// The one before goes on, and was told why.
        case stays
        case by(StewardChild)
        /// Neither the next nor the one before can be started.
        case lost
    }

    private func replace(_ old: StewardChild) -> Replacement {
        let next: StewardChild
        do throws(ConfigurationError) {
            try check()
            next = try start(program, waits: true, last: UpgradeOutcome(outcome: .upgraded))
            if let problem = prepare(next) {
                kill(next.pid, SIGKILL)
                next.end(within: 0)
                throw ConfigurationError(problem)
            }
        } catch {
            StewardMessage.refused(error.description).send(over: old.control)
            return .stays
        }
        // From here on the old one goes, whatever happens.
        let previous = dup(old.program)
        defer { if previous >= 0 { close(previous) } }
        StewardMessage.leave.send(over: old.control)
        old.end(within: Self.leaveLimit)
        stewardWard = next.pid
        StewardMessage.go.send(over: next.control)
        guard let problem = waitUntilUp(next) else { return .by(next) }
        if stewardIsStopping != 0 {
            kill(next.pid, SIGTERM)
            return .by(next)
        }
        printError("rookery: the new supervisor did not come up, going back to the one before: \(problem)")
        kill(next.pid, SIGKILL)
        next.end(within: 0)
        let failed = UpgradeOutcome(outcome: .failed, reason: problem)
        do throws(ConfigurationError) {
            return .by(try start("/proc/self/fd/\(previous)", waits: false, last: failed))
        } catch {
            printError("rookery: the supervisor before cannot be started again: \(error)")
            return .lost
        }
    }

    /// Has the installed program look at configuration and state, beside the supervisor that serves.
    private func check() throws(ConfigurationError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw ConfigurationError("no pipe: \(String(cString: strerror(errno)))") }
        for end in ends { _ = rk_set_close_on_exec(end, 1) }
        defer { close(ends[0]) }
        let started = Result { () throws(ConfigurationError) in
            try StewardChild.spawn(program, arguments + ["--check"], environment, passing: [], output: ends[1])
        }
        close(ends[1])
        let pid = try started.get()
        var text: [UInt8] = []
        let deadline = ContinuousClock.now + .milliseconds(Int(Self.checkLimit))
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let left = (deadline - .now) / .milliseconds(1)
            var ready = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
            guard left > 0 else { break }
            guard poll(&ready, 1, Int32(left) + 1) > 0 else { continue }
            let count = read(ends[0], &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            text.append(contentsOf: buffer.prefix(count))
            if text.count > 16 << 10 { text.removeFirst(text.count - (8 << 10)) }
        }
        if ContinuousClock.now >= deadline { kill(pid, SIGKILL) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        guard status != 0 else { return }
        let said = String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        throw ConfigurationError(
            "\(program) --check \(Self.end(status))" + (said.isEmpty ? "" : ": \(said.suffix(3000))"))
    }

    /// What went wrong; nil when the next one is ready.
    private func prepare(_ next: StewardChild) -> String? {
        let deadline = ContinuousClock.now + .milliseconds(Int(Self.prepareLimit))
        while ContinuousClock.now < deadline, stewardIsStopping == 0 {
            switch next.next(within: 200) {
            case .said(.prepared): return nil
            case .said, .nothing: continue
            case .ended(let status): return "the new supervisor \(Self.end(status)) before it was ready; see its log"
            }
        }
        return stewardIsStopping != 0 ? "the service is being stopped" : "the new supervisor did not become ready"
    }

    private func waitUntilUp(_ next: StewardChild) -> String? {
        let deadline = ContinuousClock.now + .milliseconds(Int(Self.upLimit))
        while ContinuousClock.now < deadline, stewardIsStopping == 0 {
            switch next.next(within: 200) {
            case .said(.up): return nil
            case .said, .nothing: continue
            case .ended(let status): return "the new supervisor \(Self.end(status)); see its log"
            }
        }
        return "the new supervisor did not serve within \(Self.upLimit / 1000) s"
    }

    private static func end(_ status: Int32) -> String {
        status & 0x7f == 0 ? "ended with status \((status >> 8) & 0xff)" : "was ended by signal \(status & 0x7f)"
    }

    // MARK: - Signals

    /// What is meant for the service is meant for the supervisor.
    private func forwardSignals() {
        for number in Self.forwarded {
            signal(number) { number in
                if number != SIGHUP { stewardIsStopping = 1 }
                if stewardWard > 0 { kill(stewardWard, number) }
            }
        }
    }
}

// A handler has nothing else to reach. Written by the steward's one thread and by its handlers; each is one word.
private nonisolated(unsafe) var stewardWard: pid_t = 0
private nonisolated(unsafe) var stewardIsStopping: Int32 = 0
