import ArgumentParser
import Foundation
import SessionCore

struct Logs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print a session's events.")
    @OptionGroup var options: ClientOptions
    @Flag(help: "Go on with new ones as they happen.") var follow = false
    @Option(help: "Only those after this sequence number.") var since: UInt64 = 0
    @Flag(help: "One JSON object a line.") var json = false
    @Argument(help: "The session: an id, the beginning of one, or a name.") var session: String

    /// The stream does not say where the past ends: it is where this much silence begins.
    private static let silence: Duration = .milliseconds(700)

    func run() async throws {
        let client = try options.client()
        let id = try await client.sessionID(session)
        let path = "/v1/sessions/\(id)/events?since=\(since)"
        let asJSON = json || options.output == .json
        guard !follow else { return try await client.events(path) { Self.show($0, asJSON: asJSON) } }
        let (moments, source) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { source.finish() }
                try await client.events(path) {
                    Self.show($0, asJSON: asJSON)
                    source.yield()
                }
            }
            group.addTask { await Self.waitForSilence(moments) }
            try await group.next()
            group.cancelAll()
        }
    }

    /// Returns once nothing has come for a while; the first event may take longer.
    private static func waitForSilence(_ moments: AsyncStream<Void>) async {
        let latest = LatestMoment(.now + .seconds(2))
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in moments { await latest.move(to: .now + silence) } }
            group.addTask {
                while await latest.time > .now, !Task.isCancelled {
                    try? await Task.sleep(until: await latest.time, clock: .continuous)
                }
            }
            await group.next()
            group.cancelAll()
        }
    }

    private actor LatestMoment {
        private(set) var time: ContinuousClock.Instant
        init(_ time: ContinuousClock.Instant) { self.time = time }
        func move(to time: ContinuousClock.Instant) { self.time = time }
    }

    private static func show(_ event: ServerSentEvent, asJSON: Bool) {
        guard !asJSON else { return printBytes(Data((event.data + "\n").utf8)) }
        let value = (try? JSONDecoder().decode(JSONValue.self, from: Data(event.data.utf8))) ?? .null
        let data = value["data"].flatMap { try? JSONEncoder.rookery.encode($0) } ?? Data()
        let text = String(decoding: data, as: UTF8.self)
        let line =
            "\(event.id ?? "-")  \(value["time"]?.string ?? "-")  \(printable(event.type))"
            + (text == "{}" ? "" : "  \(printable(text))")
        printBytes(Data((line + "\n").utf8))
    }
}
