import CLinux
import Foundation
import Glibc
import SessionCore
import Testing
import WorkerControl

@testable import Supervisor

struct LauncherClientTests {
    private func pair() throws -> (client: LauncherClient, other: Int32) {
        var pair: [Int32] = [-1, -1]
        try #require(rk_socket_pair(Int32(SOCK_SEQPACKET.rawValue), &pair) == 0)
        return (LauncherClient(descriptor: pair[0]), pair[1])
    }

    /// Polls: a blocked thread of the pool could be the one that is to send.
    private func receive(_ descriptor: Int32) async throws -> LauncherRequestEnvelope {
        var buffer = [UInt8](repeating: 0, count: LauncherMessage.largest)
        var count = -1
        try await eventually("a request") {
            count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            return count < 0 ? nil : count
        }
        return try JSONDecoder.rookery.decode(LauncherRequestEnvelope.self, from: Data(buffer[..<max(0, count)]))
    }

    private func answer(_ descriptor: Int32, _ id: UInt64, _ reply: LauncherReply) throws {
        let message = try JSONEncoder.rookery.encode(LauncherReplyEnvelope(id: id, reply: reply))
        _ = message.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    @Test func repliesFindTheirRequestsInAnyOrder() async throws {
        let (client, other) = try pair()
        defer { close(other) }
        let ids = (0..<20).map { _ in SessionID() }
        let swept = try await withThrowingTaskGroup(of: Bool.self) { group in
            for id in ids {
                group.addTask {
                    let reply = try await client.send(.sweep(SweepRequest(live: [id])), within: .seconds(20))
                    guard case .swept(let swept) = reply else { return false }
                    return swept == [id]
                }
            }
            var requests: [LauncherRequestEnvelope] = []
            for _ in ids { requests.append(try await receive(other)) }
            for request in requests.reversed() {
                guard case .sweep(let sweep) = request.request else { continue }
                try answer(other, request.id, .swept(sweep.live))
            }
            return try await group.reduce(true) { $0 && $1 }
        }
        #expect(swept)
        #expect(client.outage == nil)
    }

    @Test func silenceEndsInTimeAndALateReplyIsIgnored() async throws {
        let (client, other) = try pair()
        defer { close(other) }
        await #expect(throws: LauncherError.timedOut(.milliseconds(50))) {
            try await client.send(.capabilities, within: .milliseconds(50))
        }
        let request = try await receive(other)
        try answer(other, request.id, .done)
        async let reply = client.send(.capabilities, within: .seconds(20))
        let next = try await receive(other)
        try answer(other, next.id, .done)
        guard case .done = try await reply else {
            Issue.record("another reply")
            return
        }
    }

    @Test func aLauncherThatGoesAwayFailsWhatWaitsAndWhatComes() async throws {
        let (client, other) = try pair()
        let waiting = Task { try await client.send(.capabilities, within: .seconds(20)) }
        _ = try await receive(other)
        close(other)
        await #expect(throws: LauncherError.gone("it has ended")) { try await waiting.value }
        await #expect(throws: LauncherError.gone("it has ended")) {
            try await client.send(.capabilities, within: .seconds(20))
        }
        #expect(client.outage == "it has ended")
    }

    @Test func aReplyBeforeTheEndIsTaken() async throws {
        let (client, other) = try pair()
        let waiting = Task { try await client.send(.capabilities, within: .seconds(20)) }
        let request = try await receive(other)
        try answer(other, request.id, .done)
        close(other)
        guard case .done = try await waiting.value else {
            Issue.record("another reply")
            return
        }
    }

    @Test func nonsenseEndsTheConnection() async throws {
        let (client, other) = try pair()
        defer { close(other) }
        let waiting = Task { try await client.send(.capabilities, within: .seconds(20)) }
        _ = try await receive(other)
        _ = send(other, "nonsense", 8, Int32(MSG_NOSIGNAL))
        await #expect(throws: LauncherError.gone("it sent what is not a reply")) { try await waiting.value }
    }

    @Test func aRequestThatIsTooLargeIsNotSent() async throws {
        let (client, other) = try pair()
        defer { close(other) }
        let request = LauncherRequest.sweep(SweepRequest(live: (0..<4000).map { _ in SessionID() }))
        do throws(LauncherError) {
            _ = try await client.send(request, within: .seconds(20))
            Issue.record("it was sent")
        } catch {
            guard case .tooLarge(let bytes) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(bytes > LauncherMessage.largest)
        }
    }
}
