import AsyncHTTPClient
import Foundation
import Gateway
import Logging
import NIOCore
import NIOHTTP1
import ScriptedModel
import ServiceLifecycle
import Synchronization
import Testing

/// A gateway in front of a scripted model, both in this process, in a directory of their own.
struct GatewayFixture: Sendable {
    let directory: String
    let client: HTTPClient
    let ledger = MemoryLedger()
    private let running = Running()
    /// The one that runs while the body does.
    var gateway: ModelGateway {
        get throws { try #require(running.gateway.withLock { $0 }) }
    }

    private final class Running: Sendable {
        let gateway = Mutex<ModelGateway?>(nil)
    }

    var socket: String { directory + "/gateway.sock" }
    var base: String {
        "http+unix://" + (socket.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
    }

    static let key = "real-credential-WXYZ"

    /// Runs both, calls the body, and takes both down again.
    ///
    /// - Parameter upstream: nil for the scripted model.
    static func with(
        upstream: String? = nil, budget: any ModelBudget = NoBudget(), bodies: any BodyPolicy = NoBodies(),
        speaksFor: @escaping @Sendable (pid_t?, UUID) -> Bool = { _, _ in true },
        _ body: @Sendable (GatewayFixture) async throws -> Void
    ) async throws {
        let directory = "/tmp/gw-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 100
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let fixture = GatewayFixture(directory: directory, client: client)
        do {
            try await fixture.run(upstream: upstream, budget, bodies, speaksFor, body)
        } catch {
            try await client.shutdown()
            throw error
        }
        try await client.shutdown()
    }

    private func run(
        upstream: String?, _ budget: any ModelBudget, _ bodies: any BodyPolicy,
        _ speaksFor: @escaping @Sendable (pid_t?, UUID) -> Bool, _ body: @Sendable (GatewayFixture) async throws -> Void
    ) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

        let (listening, announced) = AsyncStream<String>.makeStream()
        let model = ScriptedModelServer(
            address: .tcp(host: "127.0.0.1", port: 0), log: try RequestLog(path: directory + "/log"), logger: logger
        ).application { announced.yield($0) }
        try await withRunning([model], logger) {
            guard let url = await listening.first(where: { _ in true }) else { return }
            guard let target = UpstreamURL(parsing: upstream ?? url) else { return }
            let gateway = ModelGateway(
                configuration: GatewayConfiguration(
                    socketPath: socket, formerPlaceholder: "former", speaksFor: speaksFor
                ) { "placeholder-of-\($0)" },
                access: SharedKey(upstream: target, apiKey: Self.key), budget: budget, ledger: ledger, bodies: bodies,
                prices: try .shipped(),
                logger: logger)
            running.gateway.withLock { $0 = gateway }
            try await withRunning([gateway], logger) {
                try await eventually { gateway.isListening }
                try await body(self)
            }
        }
    }

    /// The request log's lines that say this kind.
    func logged(_ kind: String) throws -> [String] {
        try String(contentsOfFile: directory + "/log", encoding: .utf8).split(separator: "\n").map(String.init)
            .filter { $0.contains(#""kind":"\#(kind)""#) }
    }

    func request(_ method: HTTPMethod, _ path: String, _ headers: HTTPHeaders = [:]) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        let session = UUID()
        request.headers = ["x-rookery-session": session.uuidString.lowercased()]
        if headers["x-api-key"].isEmpty, headers["authorization"].isEmpty {
            request.headers.add(name: "x-api-key", value: "placeholder-of-\(session)")
        }
        request.headers.add(contentsOf: headers)
        return request
    }

    func prompt(_ text: String, stream: Bool) -> HTTPClientRequest {
        var request = request(.POST, "/v1/messages?beta=true", [:])
        request.body = .bytes(
            Data(#"{"model":"m","stream":\#(stream),"messages":[{"role":"user","content":"\#(text)"}]}"#.utf8))
        return request
    }
}

/// Keeps what it is told, in order.
final class MemoryLedger: ModelRequestLedger {
    struct Full: Error {}

    private let told = Mutex<[ModelRequestRecord]>([])
    private let isFull = Mutex(false)
    var all: [ModelRequestRecord] { told.withLock { $0 } }

    /// From now on nothing can be written.
    func fill() { isFull.withLock { $0 = true } }

    func record(_ request: ModelRequestRecord) async throws {
        guard !isFull.withLock({ $0 }) else { throw Full() }
        told.withLock { $0.append(request) }
    }

    private let kept = Mutex<[UUID: KeptBodies]>([:])
    var bodies: [UUID: KeptBodies] { kept.withLock { $0 } }

    func keep(_ bodies: KeptBodies, of request: UUID) async throws { kept.withLock { $0[request] = bodies } }
}

extension PriceList {
    /// The one that is installed.
    static func shipped() throws -> PriceList {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try PriceList(file: root.appending(path: "Ops/prices.json").path)
    }
}

/// Runs services while the body runs, then stops them.
func withRunning(
    _ services: [any Service], _ logger: Logger, _ body: @Sendable () async throws -> Void
) async throws {
    var configuration = ServiceGroupConfiguration(services: services, logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(1)
    let group = ServiceGroup(configuration: configuration)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        defer { tasks.cancelAll() }
        try await body()
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
    }
}

/// Polls until the condition holds; fails after twenty seconds.
func eventually(
    _ condition: () async throws -> Bool, sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("it did not happen within 20 s", sourceLocation: sourceLocation)
}

/// A string that one task fills and another reads.
final class Transcript: Sendable {
    private let text = Mutex("")
    var value: String { text.withLock { $0 } }
    func append(_ part: ByteBuffer) { text.withLock { $0 += String(buffer: part) } }
}
