import Foundation
import NIOCore
import Policy
import Synchronization
import Testing

@testable import Gateway

/// A server of names that hangs, and who is held up by it. The resolver's threads are real; what stands in for
/// `getaddrinfo` on them waits until the test lets it go, which a real server would not do on time.
@Suite(.timeLimit(.minutes(1))) struct NameLookupsTests {
    /// Answers at once, but for names below `hang.example`.
    private final class Names: Sendable {
        private let state = Mutex((asked: [String: Int](), hanging: 0, most: 0, isOpen: false))

        func count(_ name: String) -> Int { state.withLock { $0.asked[name] ?? 0 } }
        /// Threads that wait now, and the most that ever did.
        var hanging: (now: Int, most: Int) { state.withLock { ($0.hanging, $0.most) } }
        func open() { state.withLock { $0.isOpen = true } }

        func resolve(_ host: EgressHost, _ port: Int) -> [SocketAddress] {
            let hangs = host.text.hasSuffix(".hang.example")
            state.withLock { state in
                state.asked[host.text, default: 0] += 1
                guard hangs else { return }
                state.hanging += 1
                state.most = max(state.most, state.hanging)
            }
            if hangs {
                while !state.withLock({ $0.isOpen }) { usleep(2_000) }
                state.withLock { $0.hanging -= 1 }
            }
            return [try? SocketAddress(ipAddress: "192.0.2.1", port: port)].compactMap(\.self)
        }
    }

    private let names = Names()

    private func lookups(_ patience: Duration, together: Int = 8) -> NameLookups {
        NameLookups(
            SystemResolver(threads: together) { [names] in names.resolve($0, $1) },
            bounds: NameLookups.Bounds(together: together, patience: patience))
    }

    private func target(_ text: String) throws -> EgressDestination {
        try #require(EgressDestination(authority: text, defaultPort: 443))
    }

    @Test func `thousands of names at a server that hangs slow no other session's look-up`() async throws {
        defer { names.open() }
        let lookups = lookups(.seconds(20))
        let (hostile, other) = (UUID(), UUID())
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for number in 0..<3000 {
                let target = try target("n\(number).hang.example")
                tasks.addTask { _ = try? await lookups.addresses(of: target, for: hostile) }
            }
            try await eventually { names.hanging.now == 2 }
            let clock = ContinuousClock()
            var times: [Duration] = []
            for number in 0..<200 {
                let target = try target("n\(number).good.example:80")
                let start = clock.now
                #expect(try await lookups.addresses(of: target, for: other).map(\.port) == [80])
                times.append(clock.now - start)
            }
            times.sort()
            #expect(times[100] < .milliseconds(50), "\(times[100])")
            // Far below the patience of the look-ups before it, however busy the machine is.
            #expect(times[199] < .seconds(10), "\(times[199])")
            #expect(names.hanging.most == 2)
            tasks.cancelAll()
        }
    }

    @Test func `who waits is let go in time, though the thread is not`() async throws {
        defer { names.open() }
        let lookups = lookups(.milliseconds(300))
        let session = UUID()
        let slow = try target("a.hang.example")
        await #expect(throws: NameLookups.Failure.slow) { try await lookups.addresses(of: slow, for: session) }
        let second = try target("b.hang.example")
        await #expect(throws: NameLookups.Failure.slow) { try await lookups.addresses(of: second, for: session) }
        #expect(names.hanging.now == 2)
        // Both of the session's are still out.
        let third = try target("c.good.example")
        await #expect(throws: NameLookups.Failure.crowded(ofSession: true)) {
            try await lookups.addresses(of: third, for: session)
        }
        #expect(names.count("c.good.example") == 0)
        #expect(try await lookups.addresses(of: third, for: UUID()).count == 1)
        names.open()
        try await eventually { names.hanging.now == 0 }
        #expect(try await lookups.addresses(of: third, for: session).count == 1)
    }

    @Test func `equal names are looked up once, for all that wait, each with its own port`() async throws {
        let lookups = lookups(.seconds(20))
        let ports = try await withThrowingTaskGroup(of: Int?.self) { tasks in
            for port in 1...40 {
                let target = try target("same.hang.example:\(port)")
                tasks.addTask { try await lookups.addresses(of: target, for: UUID()).first?.port }
            }
            try await eventually { names.hanging.now == 1 }
            try await Task.sleep(for: .milliseconds(50))
            names.open()
            return try await tasks.reduce(into: Set<Int?>()) { $0.insert($1) }
        }
        #expect(ports == Set(1...40))
        #expect(names.count("same.hang.example") == 1)
    }

    @Test func `nobody waits for a name because a session without room asked for it first`() async throws {
        defer { names.open() }
        let lookups = lookups(.seconds(20))
        let hostile = UUID()
        let wanted = try target("pypi.good.example")
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for name in ["a.hang.example", "b.hang.example"] {
                let target = try target(name)
                tasks.addTask { _ = try? await lookups.addresses(of: target, for: hostile) }
            }
            try await eventually { names.hanging.now == 2 }
            let first = Mutex(0)
            tasks.addTask {
                _ = try? await lookups.addresses(of: wanted, for: hostile)
                first.withLock { $0 += 1 }
            }
            try await Task.sleep(for: .milliseconds(50))
            #expect(names.count("pypi.good.example") == 0)
            #expect(try await lookups.addresses(of: wanted, for: UUID()).count == 1)
            // The answer is the first one's too.
            try await eventually { first.withLock { $0 } == 1 }
            tasks.cancelAll()
        }
    }

    @Test func `all sessions together hold no more threads than there are, and are told so`() async throws {
        defer { names.open() }
        let lookups = lookups(.milliseconds(300), together: 6)
        await withTaskGroup(of: NameLookups.Failure?.self) { tasks in
            for session in 0..<10 {
                let owner = UUID()
                for name in 0..<2 {
                    tasks.addTask {
                        guard let target = EgressDestination(authority: "\(session)-\(name).hang.example:443")
                        else { return nil }
                        do throws(NameLookups.Failure) {
                            _ = try await lookups.addresses(of: target, for: owner)
                            return nil
                        } catch { return error }
                    }
                }
            }
            let failures = await tasks.reduce(into: [NameLookups.Failure?: Int]()) { $0[$1, default: 0] += 1 }
            #expect(failures[.slow] == 6)
            #expect(failures.values.reduce(0, +) == 20 && failures[nil] == nil, "\(failures)")
        }
        #expect(names.hanging.most == 6)
        let late = try target("late.good.example")
        await #expect(throws: NameLookups.Failure.crowded(ofSession: false)) {
            try await lookups.addresses(of: late, for: UUID())
        }
    }

    @Test func `a client that goes away waits no longer, and a name that nobody waits for is not asked`() async throws {
        defer { names.open() }
        let lookups = lookups(.seconds(20), together: 1)
        @Sendable func failure(_ text: String) async throws -> NameLookups.Failure? {
            let target = try target(text)
            do throws(NameLookups.Failure) {
                _ = try await lookups.addresses(of: target, for: UUID())
                return nil
            } catch { return error }
        }
        let first = Task { try await failure("a.hang.example") }
        try await eventually { names.hanging.now == 1 }
        let second = Task { try await failure("b.good.example") }
        try await Task.sleep(for: .milliseconds(50))
        first.cancel()
        second.cancel()
        #expect(try await first.value == .cancelled)
        #expect(try await second.value == .cancelled)
        names.open()
        try await eventually { names.hanging.now == 0 }
        #expect(names.count("b.good.example") == 0)
    }
}
