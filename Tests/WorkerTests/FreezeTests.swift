import Foundation
import SessionCore
import Testing
import WorkerControl

@Suite("The freezer", .timeLimit(.minutes(2)))
struct FreezeTests {
    static func freeze(_ connection: WorkerConnection) async throws {
        // Typed input keeps it awake for a second.
        try await eventually("the freeze") {
            if case .done = try await connection.send(.freeze) { true } else { false }
        }
    }

    static func frozenSince(_ connection: WorkerConnection) async throws -> Date? {
        guard case .status(let status) = try await connection.send(.status) else { return nil }
        return status.frozenSince
    }

    @Test("a frozen session answers, and the next input thaws it")
    func input() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let connection = try await fixture.connect()
            try await Self.freeze(connection)
            #expect(fixture.frozen == "1")
            #expect(try await Self.frozenSince(connection) != nil)
            guard case .screen = try await connection.send(.screen(.text)) else {
                Issue.record("no screen")
                return
            }
            #expect(fixture.frozen == "1")
            guard case .accepted = try await connection.send(.input(text: "hello", clientID: nil, submit: true)) else {
                Issue.record("not accepted")
                return
            }
            #expect(fixture.frozen == "0")
            #expect(try await Self.frozenSince(connection) == nil)
            // It was just used.
            guard case .refused(let code, _) = try await connection.send(.freeze) else {
                Issue.record("frozen under somebody's hands")
                return
            }
            #expect(code == "not_idle")
        }
    }

    @Test("held right after a turn it first stores what that was about")
    func holdAfterTurn() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let connection = try await fixture.connect()
            let notices = NoticeLog(connection)
            _ = try await connection.send(.subscribe(since: 0))
            for (event, more) in [("UserPromptSubmit", #","prompt":"hi","prompt_id":"p1""#), ("Stop", "")] {
                let body = #"{"hook_event_name":"\#(event)"\#(more)}"#
                _ = try await RawHTTP.exchange(
                    port: fixture.listenerPort, RawHTTP.post("/hook/\(event)", body), on: fixture.group)
            }
            let begin = ContinuousClock.now
            try await eventually("the turn's end") { notices.events.contains { $0.type == .turnCompleted } }
            let held = Task { try await connection.send(.hold(seconds: 30)) }
            try await Task.sleep(for: .milliseconds(300))
            #expect(fixture.frozen != "1")
            guard case .done = try await held.value else {
                Issue.record("not held")
                return
            }
            #expect(ContinuousClock.now - begin > .milliseconds(900))
            #expect(fixture.frozen == "1")
            _ = try await connection.send(.release)
        }
    }

    @Test("held for a copy it stands still whatever is typed, and goes on when told")
    func hold() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let connection = try await fixture.connect()
            guard case .done = try await connection.send(.hold(seconds: 30)) else {
                Issue.record("not held")
                return
            }
            #expect(fixture.frozen == "1")
            guard case .accepted = try await connection.send(.input(text: "hello", clientID: nil, submit: true)) else {
                Issue.record("not accepted")
                return
            }
            #expect(fixture.frozen == "1")
            _ = try await connection.send(.release)
            #expect(fixture.frozen == "0")

            // One that is frozen for its idleness stays so, unless something came meanwhile.
            try await Self.freeze(connection)
            for isUsed in [false, true] {
                _ = try await connection.send(.hold(seconds: 30))
                if isUsed { _ = try await connection.send(.input(text: "x", clientID: nil, submit: true)) }
                #expect(fixture.frozen == "1")
                _ = try await connection.send(.release)
                #expect(fixture.frozen == (isUsed ? "0" : "1"))
            }
        }
    }

    @Test("held for a copy it goes on in time when nobody says so, and at once to be stopped")
    func holdEnds() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let connection = try await fixture.connect()
            _ = try await connection.send(.hold(seconds: 0.3))
            #expect(fixture.frozen == "1")
            // Whoever asked is gone.
            await connection.close()
            try await eventually("the end of the hold") { fixture.frozen == "0" }
            let other = try await fixture.connect()
            _ = try await other.send(.hold(seconds: 30))
            _ = try await other.send(.stop(grace: 5))
            #expect(fixture.frozen == "0")
            #expect(await fixture.workerExit() == 0)
        }
    }

    @Test("a key of an attached client, an interrupt and a stop thaw it too")
    func others() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let connection = try await fixture.connect()
            let client = try await TestClient.attach(to: fixture)
            try await Self.freeze(connection)
            client.send(keys: "x")
            try await eventually("the thaw by a key") { fixture.frozen == "0" }
            try await Self.freeze(connection)
            _ = try await connection.send(.interrupt)
            #expect(fixture.frozen == "0")
            try await Self.freeze(connection)
            _ = try await connection.send(.stop(grace: 5))
            #expect(fixture.frozen == "0")
            #expect(await fixture.workerExit() == 0)
        }
    }
}
