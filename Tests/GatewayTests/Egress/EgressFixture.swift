import Foundation
import Logging
import NIOCore
import NIOPosix
import Policy
import Synchronization
import Testing

@testable import Gateway

/// A proxy with a policy, names that resolve to what the test says, and a server of the test's own behind them.
final class EgressFixture: Sendable {
    let directory: String
    let session = UUID()
    let authority: FixedAuthority
    let names: FixedNames
    let gate: EgressGate
    private let gateway: EgressGateway
    private let logger: Logger
    var socket: String { directory + "/egress.sock" }

    /// - Parameter standIns: ports of loopback that stand for hosts.
    static func with(
        _ egress: EgressPolicy, standIns: [String: Int] = [:], names: [String: [String]] = [:],
        speaksFor: @escaping @Sendable (pid_t?, UUID) -> Bool = { _, _ in true },
        _ body: @Sendable (EgressFixture) async throws -> Void
    ) async throws {
        let fixture = try EgressFixture(egress, standIns, names, speaksFor)
        defer { try? FileManager.default.removeItem(atPath: fixture.directory) }
        try await withRunning([fixture.gateway], fixture.logger) {
            try await eventually { FileManager.default.fileExists(atPath: fixture.socket) }
            try await body(fixture)
        }
    }

    private init(
        _ egress: EgressPolicy, _ standIns: [String: Int], _ names: [String: [String]],
        _ speaksFor: @escaping @Sendable (pid_t?, UUID) -> Bool
    ) throws {
        directory = "/tmp/eg-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        authority = FixedAuthority(EgressGrant(policy: "team", egress: egress, tenant: 1))
        self.names = FixedNames(names)
        gate = EgressGate(
            authority: authority, resolver: self.names,
            standIns: try standIns.mapValues { try SocketAddress(ipAddress: "127.0.0.1", port: $0) }, logger: logger,
            speaksFor: speaksFor)
        gateway = EgressGateway(socketPath: directory + "/egress.sock", gate: gate, logger: logger)
    }

    /// What is answered to some bytes until the other side closes; at most a few seconds.
    func exchange(_ text: String, as session: UUID? = nil) async throws -> String {
        try await exchange(Array(text.utf8), as: session)
    }

    func exchange(_ bytes: [UInt8], as session: UUID? = nil) async throws -> String {
        let client = try await client(as: session)
        return try await client.executeThenClose { inbound, outbound in
            try? await outbound.write(ByteBuffer(bytes: bytes))
            var text = ""
            for try await part in inbound { text += String(buffer: part) }
            return text
        }
    }

    /// A connection as a worker makes it.
    func client(as session: UUID? = nil) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(unixDomainSocketPath: socket) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
        try await channel.channel.writeAndFlush(ByteBuffer(string: "session \(session ?? self.session)\n")).get()
        return channel
    }
}

/// One policy for every session.
final class FixedAuthority: EgressAuthority {
    private let grant: EgressGrant
    private let state = Mutex((bookings: [EgressBooking](), refused: [EgressRefused](), unknown: Set<UUID>()))
    /// What is booked already: of a session, of the tenant.
    let before = Mutex<(session: Int64, tenant: Int64)?>((0, 0))

    init(_ grant: EgressGrant) { self.grant = grant }

    struct Unreadable: Error {}

    var refused: [EgressRefused] { state.withLock { $0.refused } }
    var bookings: [EgressBooking] { state.withLock { $0.bookings } }
    func forget(_ session: UUID) { state.withLock { _ = $0.unknown.insert(session) } }

    func egressGrant(of session: UUID) async -> EgressGrant? {
        state.withLock { $0.unknown.contains(session) } ? nil : grant
    }

    func egressBooked(of session: UUID, tenant: Int64, day: String) async throws -> (session: Int64, tenant: Int64) {
        guard let before = before.withLock({ $0 }) else { throw Unreadable() }
        return before
    }

    /// What the test says instead of a value.
    let secretFault = Mutex<EgressSecretFault?>(nil)

    func egressSecret(
        named name: String, for session: UUID, to host: EgressHost
    ) async throws(EgressSecretFault) -> String {
        if let fault = secretFault.withLock({ $0 }) { throw fault }
        return "value of \(name)"
    }

    func book(_ bookings: [EgressBooking]) async throws { state.withLock { $0.bookings += bookings } }

    func egressRefused(_ session: UUID, _ refused: EgressRefused) async {
        state.withLock { $0.refused.append(refused) }
    }
}

/// Names that resolve to the next of several answers each time they are asked for, as a rebinding server's do.
final class FixedNames: HostResolver {
    private let names: [String: [String]]
    private let asked = Mutex<[String: Int]>([:])

    init(_ names: [String: [String]]) { self.names = names }

    func count(_ host: String) -> Int { asked.withLock { $0[host] ?? 0 } }

    func addresses(of host: EgressHost, port: Int) async -> [SocketAddress] {
        let count = asked.withLock { asked in
            defer { asked[host.text, default: 0] += 1 }
            return asked[host.text] ?? 0
        }
        let answers = names[host.text] ?? []
        guard !answers.isEmpty else { return [] }
        return answers[min(count, answers.count - 1)].split(separator: ",").compactMap {
            try? SocketAddress(ipAddress: String($0), port: port)
        }
    }
}

/// A server on loopback that does as the test says with each connection.
struct StandInServer: Sendable {
    typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    static func with(
        _ serve:
            @escaping @Sendable (
                NIOAsyncChannelInboundStream<ByteBuffer>, NIOAsyncChannelOutboundWriter<ByteBuffer>
            ) async throws -> Void,
        _ body: @Sendable (_ port: Int) async throws -> Void
    ) async throws {
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try Connection(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
        let port = try #require(server.channel.localAddress?.port)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                try? await server.executeThenClose { connections in
                    await withTaskGroup(of: Void.self) { serving in
                        do {
                            for try await connection in connections {
                                serving.addTask {
                                    try? await connection.executeThenClose { try await serve($0, $1) }
                                }
                            }
                        } catch {}
                        serving.cancelAll()
                    }
                }
            }
            defer { tasks.cancelAll() }
            try await body(port)
        }
    }
}

extension EgressPolicy {
    static let open = EgressPolicy(mode: .open)

    static func list(_ targets: String...) -> EgressPolicy {
        EgressPolicy(mode: .list, allow: targets.compactMap { EgressTarget(parsing: $0) })
    }
}

extension StandInServer {
    /// Takes everything until the client has nothing more to say; then says how much that was.
    static let counting:
        @Sendable (
            NIOAsyncChannelInboundStream<ByteBuffer>, NIOAsyncChannelOutboundWriter<ByteBuffer>
        ) async throws -> Void = { inbound, outbound in
            var count = 0
            for try await part in inbound { count += part.readableBytes }
            try await outbound.write(ByteBuffer(string: "got \(count)\n"))
        }
}
