import CLinux
import Foundation
import Glibc

/// Answers the system calls that a sandbox's filter leaves to it: every one with a refusal, at once, on a thread of its own.
/// A session that makes many of them slows itself down and nobody else.
public final class ViolationResponder: Sendable {
    /// One call's refusals of at most a second.
    public struct Violation: Sendable, Hashable {
        /// The call's name, such as `mount`.
        public var call: String
        public var count: Int
    }

    private let socket: Int32
    private let names: [Int: String]
    private let report: @Sendable (Violation) -> Void

    /// - Parameters:
    ///   - socket: on which the filter's listener comes once (SCM_RIGHTS); closed in the end.
    ///   - names: of the calls, by number.
    ///   - report: called on the responder's thread, for each call at most once a second; must not block.
    public init(socket: Int32, names: [Int: String], report: @escaping @Sendable (Violation) -> Void) {
        self.socket = socket
        self.names = names
        self.report = report
    }

    /// Starts the thread. It ends with the last process under the filter.
    public func start() {
        let thread = Thread { [self] in run() }
        thread.name = "violations"
        thread.stackSize = 256 * 1024
        thread.start()
    }

    /// The thread's body.
    func run() {
        guard let listener = receiveListener() else { return }
        defer { close(listener) }
        var tally = ViolationTally(names: names)
        while true {
            var call = rk_waiting_call()
            let state = rk_next_call(listener, tally.patience(at: .now), &call)
            if state == 1 {
                let answer = RefusalAnswer.errno(
                    of: names[Int(call.number)], call.arguments.0, call.arguments.1)
                _ = rk_refuse_call(listener, &call, answer)
                tally.note(Int(call.number))
            }
            let ended = state < 0
            for violation in ended ? tally.rest() : tally.due(at: .now) { report(violation) }
            if ended { return }
        }
    }

    private func receiveListener() -> Int32? {
        defer { close(socket) }
        var word = [UInt8](repeating: 0, count: 16)
        var descriptor: Int32 = -1
        var count = 0
        while true {
            let received = rk_receive_descriptors(socket, &word, word.count, &descriptor, 1, &count, 0)
            if received == -Int(EINTR) { continue }
            // The end: the command was never started.
            return received > 0 && count == 1 ? descriptor : nil
        }
    }
}

/// Counts refusals by call and says when to report them.
struct ViolationTally {
    let names: [Int: String]
    private var counts: [Int: Int] = [:]
    private var silentUntil: [Int: ContinuousClock.Instant] = [:]

    init(names: [Int: String]) { self.names = names }

    mutating func note(_ number: Int) { counts[number, default: 0] += 1 }

    /// Milliseconds until something may be due; -1: nothing is.
    func patience(at now: ContinuousClock.Instant) -> Int32 {
        let next = counts.keys.map { silentUntil[$0] ?? now }.min()
        guard let next else { return -1 }
        return Int32(clamping: Int(max(.zero, next - now) / .milliseconds(1)) + 1)
    }

    mutating func due(at now: ContinuousClock.Instant) -> [ViolationResponder.Violation] {
        let ready = counts.keys.filter { (silentUntil[$0] ?? now) <= now }.sorted()
        for number in ready { silentUntil[number] = now + .seconds(1) }
        return take(ready)
    }

    mutating func rest() -> [ViolationResponder.Violation] { take(counts.keys.sorted()) }

    private mutating func take(_ numbers: [Int]) -> [ViolationResponder.Violation] {
        numbers.map { number in
            let count = counts.removeValue(forKey: number) ?? 0
            return ViolationResponder.Violation(call: names[number] ?? "call \(number)", count: count)
        }
    }
}
