import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import Worker

@Suite struct ProxyGateTests {
    @Test(
        arguments: [
            ("CONNECT a:1 HTTP/1.1\r\n", .proxy), ("GET http://a/", .proxy), ("POST HTTP://a/", .proxy),
            ("GET / HTTP/1.1", .other), ("GET /egress/a/ HTTP/1.1", .proxy), ("GET /egr", .unclear),
            ("GET /eggs", .other), ("HEAD /http://a", .other), ("GET https://a/", .other), ("connect a:1", .other),
            ("session 1\nCONNECT a:1", .other), ("CONNECTED a:1 HTTP/1.1", .other), ("\u{0}\u{1}", .other),
            ("\r\nCONNECT a:1", .other), ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", .other), ("", .unclear), ("CONN", .unclear),
            ("CONNECT", .unclear), ("GET ", .unclear), ("GET http:/", .unclear), ("GET httpx", .other),
        ] as [(String, ProxyGate.Use)])
    func `the first bytes say what a connection is for`(text: String, use: ProxyGate.Use) {
        #expect(ProxyGate.use(of: Array(text.utf8)) == use)
    }

    @Test func `a proxy's connection goes to the gateway byte by byte, under its session's name`() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            // Says back what it gets, once its client has nothing more to say.
            let gateway = try await ServerBootstrap(group: fixture.group)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .bind(unixDomainSocketPath: fixture.egressSocket) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                            wrappingChannelSynchronously: channel,
                            configuration: .init(isOutboundHalfClosureEnabled: true))
                    }
                }
            let serving = Task {
                try await gateway.executeThenClose { connections in
                    for try await connection in connections {
                        try await connection.executeThenClose { inbound, outbound in
                            var all = ByteBuffer()
                            for try await var part in inbound { all.writeBuffer(&part) }
                            // What is not written yet goes with the connection.
                            try await connection.channel.writeAndFlush(all).get()
                        }
                    }
                }
            }
            defer { serving.cancel() }
            for head in [
                "CONNECT a.example:443 HTTP/1.1\r\n", "GET http://a.example/ HTTP/1.1\r\nHost: b\r\nHost: c\n",
            ] {
                let client = try await ClientBootstrap(group: fixture.group)
                    .channelOption(.allowRemoteHalfClosure, value: true)
                    .connect(host: "127.0.0.1", port: fixture.listenerPort) { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                                wrappingChannelSynchronously: channel,
                                configuration: .init(isOutboundHalfClosureEnabled: true))
                        }
                    }
                let answer = try await client.executeThenClose { inbound, outbound in
                    for byte in head.utf8 { try await outbound.write(ByteBuffer(bytes: [byte])) }
                    for _ in 0..<100 {
                        try await client.channel.writeAndFlush(ByteBuffer(repeating: 0xff, count: 10_000)).get()
                    }
                    outbound.finish()
                    var all = ByteBuffer()
                    for try await var part in inbound { all.writeBuffer(&part) }
                    return all
                }
                let start = "session \(fixture.sessionID)\n\(head)"
                #expect(answer.readableBytes == start.utf8.count + 1_000_000)
                #expect(answer.readableBytesView.starts(with: start.utf8))
            }
        }
    }

    @Test func `while the gateway starts again the tool is told to try again`() async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let answer = try await RawHTTP.exchange(
                port: fixture.listenerPort, "CONNECT a.example:443 HTTP/1.1\r\n\r\n", on: fixture.group)
            #expect(answer.hasPrefix("HTTP/1.1 503"))
        }
    }
}
