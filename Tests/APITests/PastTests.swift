import Foundation
import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOPosix
import Registry
import Testing

@testable import API
@testable import SessionCore

/// Recordings and transcripts of a journal that no worker writes.
struct PastTests {
    /// A journal with what `body` appends, served for every session.
    private static func serving(
        _ body: @escaping @Sendable (Journal) throws -> Void,
        _ test: @escaping @Sendable (any TestClientProtocol, SessionID) async throws -> Void
    ) async throws {
        let path = "/tmp/rk-past-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let sessions = FakeSessions()
        let id = await sessions.add(SessionID(), .parked)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let options = Journal.Options(
            sessionID: id, incarnation: 1, firstSequence: 1, outputLimit: 4096, limits: JournalLimits(bytes: 64 << 20))
        try await loop.flatSubmit { () -> EventLoopFuture<Void> in
            let promise = loop.makePromise(of: Void.self)
            do {
                let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                defer { close(descriptor) }
                let journal = try Journal(options, directory: descriptor, on: loop)
                // As a killed worker would leave it.
                defer { journal.abandon() }
                try body(journal)
                promise.succeed(())
            } catch {
                promise.fail(error)
            }
            return promise.futureResult
        }.get()
        await sessions.setJournal(path)
        let server = try APIServer(
            APIConfiguration(listeners: [.tcp(host: "127.0.0.1", port: 0)], authentication: .token),
            sessions: sessions, tokens: FakeTokens(), usage: FakeUsage(), credentials: FakeCredentials(),
            budgets: FakeBudgets(),
            logger: .silent)
        try await server.application.test(.router) { try await test($0, id) }
    }

    private static func get(
        _ path: String, _ client: any TestClientProtocol, _ role: Role = .viewer
    ) async throws -> TestResponse {
        try await client.executeRequest(
            uri: path, method: .get, headers: [.authorization: "Bearer \(FakeTokens.token(role))"], body: nil)
    }

    @Test func aRecordingIsAnAsciicast() async throws {
        try await Self.serving { journal in
            _ = try journal.append(resize: TerminalSize(cols: 90, rows: 25), at: Date())
            // Many steps of the reader, a character split between two records.
            for _ in 0..<200 {
                _ = try journal.append(output: ByteBuffer(string: String(repeating: "x", count: 4096)), at: Date())
            }
            _ = try journal.append(output: ByteBuffer(bytes: [0xE2, 0x82]), at: Date())
            _ = try journal.append(output: ByteBuffer(bytes: [0xAC]), at: Date())
            _ = try journal.append(
                input: AcceptedInput(content: .text("hunter2", submit: true), sender: "alice"), at: Date())
            _ = try journal.append(resize: TerminalSize(cols: 120, rows: 40), at: Date())
        } _: { client, id in
            let answer = try await Self.get("/v1/sessions/\(id)/recording", client)
            #expect(answer.status == .ok)
            #expect(answer.headers[.contentType] == "application/x-asciicast")
            let lines = String(buffer: answer.body).split(separator: "\n").map { JSONValue(parsing: String($0)) }
            #expect(lines.first??["version"] == 2)
            #expect(lines.allSatisfy { $0 != nil })
            let events = lines.dropFirst().compactMap { $0?.array }
            let output = events.filter { $0[1] == "o" }.compactMap { $0[2].string }.joined()
            #expect(output == String(repeating: "x", count: 200 * 4096) + "€")
            #expect(events.last?[1] == "r")
            #expect(events.last?[2] == "120x40")
            #expect(!String(buffer: answer.body).contains("hunter2"))
            let typed = try await Self.get("/v1/sessions/\(id)/recording?input=true&since=201", client, .admin)
            #expect(String(buffer: typed.body).contains("\"i\",\"hunter2\\r\""))
            #expect(try await Self.get("/v1/sessions/\(id)/recording?input=true", client).status == .forbidden)
            #expect(try await Self.get("/v1/sessions/\(id)/recording?since=x", client).status == .unprocessableContent)
        }
    }

    @Test func theEventsAreReadBackwardsByPages() async throws {
        let sessions = FakeSessions()
        let id = await sessions.add(SessionID(), .parked)
        for seq in 1...10 {
            await sessions.emit(
                SessionEvent(
                    seq: UInt64(seq), time: Date(), sessionID: id, incarnation: 1, type: .messageUser, data: [:]))
        }
        let server = try APIServer(
            APIConfiguration(listeners: [.tcp(host: "127.0.0.1", port: 0)], authentication: .token),
            sessions: sessions, tokens: FakeTokens(), usage: FakeUsage(), credentials: FakeCredentials(),
            budgets: FakeBudgets(), logger: .silent)
        try await server.application.test(.router) { client in
            var pages: [[Int64]] = []
            var query: String? = "limit=4"
            while let asked = query, pages.count < 9 {
                let answer = try await Self.get("/v1/sessions/\(id)/history?\(asked)", client)
                #expect(answer.status == .ok)
                let page = try JSONReader.parse(answer.body)
                pages.append(page["items"]?.array?.compactMap { $0["seq"]?.integer } ?? [])
                #expect(page["before"] != nil)
                query = page["before"]?.integer.map { "limit=4&before=\($0)" }
            }
            #expect(pages == [[7, 8, 9, 10], [3, 4, 5, 6], [1, 2]])
            for query in ["limit=0", "limit=1001", "limit=x", "before=0", "before=-1", "before=x"] {
                let answer = try await Self.get("/v1/sessions/\(id)/history?\(query)", client)
                #expect(answer.status == .unprocessableContent, "\(query)")
            }
            let foreign = try await Self.get("/v1/sessions/\(SessionID())/history", client)
            #expect(foreign.status == .notFound)
        }
    }

    @Test func aTranscriptIsPagedAndHasMessagesAndTools() async throws {
        try await Self.serving { journal in
            for number in 0..<30 {
                _ = try journal.append(output: ByteBuffer(string: "noise"), at: Date())
                _ = try journal.append(
                    event: .messageUser, data: ["text": .string("question \(number)")], at: Date())
                _ = try journal.append(event: .sessionActivity, data: ["activity": "working"], at: Date())
                _ = try journal.append(
                    event: .messageAssistant, data: ["text": .string("answer \(number)")], at: Date())
            }
        } _: { client, id in
            var texts: [String] = []
            var cursor: String? = "0"
            var pages = 0
            while let after = cursor, pages < 20 {
                let answer = try await Self.get("/v1/sessions/\(id)/transcript?limit=7&cursor=\(after)", client)
                #expect(answer.status == .ok)
                let page = try JSONReader.parse(answer.body)
                texts += page["items"]?.array?.compactMap { $0["data"]?["text"]?.string } ?? []
                cursor = page["next_cursor"]?.string
                pages += 1
            }
            #expect(texts == (0..<30).flatMap { ["question \($0)", "answer \($0)"] })
            #expect(pages == 9)
            for query in ["limit=0", "limit=501", "limit=x", "cursor=-1"] {
                let answer = try await Self.get("/v1/sessions/\(id)/transcript?\(query)", client)
                #expect(answer.status == .unprocessableContent, "\(query)")
            }
        }
    }

    @Test func aSessionWithoutAJournalSaysSo() async throws {
        let sessions = FakeSessions()
        let id = await sessions.add()
        let server = try APIServer(
            APIConfiguration(listeners: [.tcp(host: "127.0.0.1", port: 0)], authentication: .token),
            sessions: sessions, tokens: FakeTokens(), usage: FakeUsage(), credentials: FakeCredentials(),
            budgets: FakeBudgets(),
            logger: .silent)
        try await server.application.test(.router) { client in
            #expect(try await Self.get("/v1/sessions/\(id)/recording", client).status == .notFound)
            let page = try JSONReader.parse(try await Self.get("/v1/sessions/\(id)/transcript", client).body)
            #expect(page["items"] == [])
            #expect(page["next_cursor"] == nil || page["next_cursor"] == .null)
        }
    }
}
