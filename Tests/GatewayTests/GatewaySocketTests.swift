import AsyncHTTPClient
import Foundation
import Gateway
import Logging
import NIOCore
import NIOHTTP1
import Testing

@Suite struct GatewaySocketTests {
    @Test func `only the owner may connect`() async throws {
        try await GatewayFixture.with { fixture in
            let attributes = try FileManager.default.attributesOfItem(atPath: fixture.socket)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test func `a second gateway on the same socket is refused and does no harm`() async throws {
        try await GatewayFixture.with { fixture in
            let second = try ModelGateway.standIn(at: fixture.socket)
            await #expect(throws: GatewayError.self) { try await second.run() }
            let response = try await fixture.client.execute(
                fixture.prompt("SAY hi", stream: false), timeout: .seconds(20))
            #expect(response.status == .ok)
        }
    }

    @Test(arguments: ["a file", "a long path"])
    func `it says why it cannot listen`(obstacle: String) async throws {
        let directory = "/tmp/gs-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var path = directory + "/s"
        if obstacle == "a file" { try Data().write(to: URL(filePath: path)) }
        if obstacle == "a long path" { path += String(repeating: "x", count: 100) }
        let gateway = try ModelGateway.standIn(at: path)
        await #expect(throws: GatewayError.self) { try await gateway.run() }
        #expect(FileManager.default.fileExists(atPath: path) == (obstacle == "a file"))
    }

    @Test func `a socket that nobody listens on is replaced`() async throws {
        let directory = "/tmp/gs-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/s"
        try leaveStaleSocket(at: path)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let gateway = try ModelGateway.standIn(at: path)
        try await withRunning([gateway], logger) { try await eventually { gateway.isListening } }
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}

extension ModelGateway {
    /// One whose upstream nobody asks.
    fileprivate static func standIn(at path: String) throws -> ModelGateway {
        ModelGateway(
            configuration: GatewayConfiguration(socketPath: path) { "\($0)" },
            access: SharedKey(upstream: try #require(UpstreamURL(parsing: "http://h")), apiKey: nil),
            ledger: MemoryLedger(), prices: try .shipped(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
}

private func leaveStaleSocket(at path: String) throws {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    try #require(result == 0)
}
