import Dialects
import Foundation
import NIOCore
import Registry
import SessionCore
import Supervisor
import WorkerControl

/// One program on `/ws/cli/{id}` (seed-protocols 3.2): its lines as they are, or with what `rookery wrap --structured` puts
/// around them, which numbers them and so loses and doubles none.
actor RemoteStreamConnection: RemoteProgram {
    static let largestMessage = 8 << 20
    private static let ping = Duration.seconds(30)
    private static let patience = TimeAmount.hours(24 * 365)
    /// Lines that are known by their ids, of a program that says again what it has said.
    private static let mostKnown = 2000

    private let stream: RemoteStream
    private let client: DoorwayClient
    /// It numbers its lines itself.
    private let isWrapped: Bool
    /// Whether what let it in still does.
    private let mayStay: @Sendable () async -> Bool
    private var number = 0
    private var splitter = CompanionLineSplitter()
    private var known: Set<String> = []
    private var order: [String] = []

    init(
        _ stream: RemoteStream, _ client: DoorwayClient, isWrapped: Bool, mayStay: @escaping @Sendable () async -> Bool
    ) {
        self.stream = stream
        self.client = client
        self.isWrapped = isWrapped
        self.mayStay = mayStay
    }

    // MARK: To the program

    func give(_ line: String, request: String, by: String) async throws {
        if isWrapped {
            let message: JSONValue = [
                "type": "give", "request": .string(request), "by": .string(by), "line": .string(line),
            ]
            return try await client.send(message.text)
        }
        // Before whatever it says to it.
        await stream.add(line, by: by, request: request, from: number)
        try await client.send(line + "\n")
    }

    /// Not as a program whose end was heard of is let go.
    func leave(_ reason: String) async { await client.close(1012, reason) }

    func end() async {
        let line: JSONValue = [
            "type": "control_request", "request_id": .string(UUID().uuidString), "request": ["subtype": "end_session"],
        ]
        try? await client.send(isWrapped ? #"{"type":"end"}"# : line.text + "\n")
    }

    // MARK: From the program

    func run() async {
        let pinging = Task { [client, mayStay] in
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.ping)
                guard await mayStay() else {
                    return await client.close(RevokedClose.code, "what you were let in by was taken back")
                }
                try await client.ping()
            }
        }
        do {
            if !isWrapped {
                // It says nothing before it is spoken to.
                number = try await stream.connect(self, directory: "", run: nil, numbersRecords: false).number
                await stream.welcome(number)
            }
            while true { try await take(try await client.next(within: Self.patience)) }
        } catch is CompanionLineSplitter.TooLong {
            await client.close(1009, "a line is too long")
        } catch let error as SupervisorError {
            await client.close(1013, String(error.detail.prefix(100)))
        } catch {
            client.channel.close(promise: nil)
        }
        pinging.cancel()
        if number > 0 { await stream.lost(number) }
    }

    private func take(_ message: Doorway.Message) async throws {
        guard case .text(let text, _) = message else { return await client.close(1003, "lines are JSON text") }
        guard isWrapped else { return try await takeLines(text) }
        guard let json = JSONValue(parsing: text, limit: Self.largestMessage) else { return }
        let type = json["type"]?.string
        if number == 0 {
            guard type == "hello" else { return await client.close(1008, "the first message must be 'hello'") }
            let directory = String((json["cwd"]?.string ?? "").prefix(4096))
            let received: UInt64
            (number, received) = try await stream.connect(
                self, directory: directory, run: json["run"]?.string.map { String($0.prefix(64)) },
                numbersRecords: true)
            // It tells what is not known here, then that it is ready.
            let welcome: JSONValue = ["type": "welcome", "received": .integer(Int64(clamping: received))]
            return try await client.send(welcome.text)
        }
        switch type {
        case "record":
            if let record = RemoteRecord(json) { await stream.take(record, from: number) }
        case "passing": await stream.pass(json["line"]?.string ?? "", from: number)
        case "ready": await stream.welcome(number)
        case "refused": await stream.refuse(json["request"]?.string ?? "", from: number)
        case "exit":
            try await stream.exit(json["code"]?.integer, from: number)
            // It waits for this: its end is on the disk.
            await client.close(1000, "")
        default: break
        }
    }

    private func takeLines(_ text: String) async throws {
        for line in try splitter.feed(text.utf8) {
            if let id = JSONValue(parsing: line, limit: CompanionLineSplitter.longest)?["uuid"]?.string {
                guard known.insert(id).inserted else { continue }
                order.append(id)
                if order.count > Self.mostKnown { known.remove(order.removeFirst()) }
            }
            await stream.add(line, from: number)
        }
    }
}
