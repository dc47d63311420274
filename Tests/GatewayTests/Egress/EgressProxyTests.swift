import Foundation
import NIOCore
import NIOPosix
import Policy
import Synchronization
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(3))) struct EgressProxyTests {
    @Test func `a tunnel is opened with bytes alone, carries both ways, and passes one side's end on`() async throws {
        try await StandInServer.with(StandInServer.counting) { port in
            try await EgressFixture.with(EgressPolicy.list("tcp git.example:22"), standIns: ["git.example:22": port]) {
                fixture in
                let client = try await fixture.client()
                let answer = try await client.executeThenClose { inbound, outbound in
                    // What comes with the request's head is the tunnel's already.
                    try await outbound.write(ByteBuffer(string: "CONNECT git.example:22 HTTP/1.1\r\n\r\nearly"))
                    for _ in 0..<64 {
                        try await outbound.write(ByteBuffer(repeating: 7, count: 64 << 10))
                    }
                    outbound.finish()
                    var text = ""
                    for try await part in inbound { text += String(buffer: part) }
                    return text
                }
                #expect(answer == "HTTP/1.1 200 Connection established\r\n\r\ngot \(5 + 64 * (64 << 10))\n")
                await fixture.gate.keepBooks()
                let booked = fixture.authority.bookings.filter { $0.session == fixture.session }
                #expect(booked.map(\.sent).reduce(0, +) == Int64(5 + 64 * (64 << 10)))
                #expect(booked.map(\.connections).reduce(0, +) == 1)
            }
        }
    }

    @Test func `a plain request goes to its server and nothing behind it does`() async throws {
        let seen = Mutex("")
        try await StandInServer.with({ inbound, outbound in
            for try await part in inbound {
                let text = seen.withLock { seen in
                    seen += String(buffer: part)
                    return seen
                }
                if text.hasSuffix("hello") {
                    try await outbound.write(ByteBuffer(string: "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"))
                    // Time for what should not come.
                    try await Task.sleep(for: .milliseconds(300))
                    return
                }
            }
        }) { port in
            try await EgressFixture.with(
                EgressPolicy.list("POST web.example:80"), standIns: ["web.example:80": port]
            ) { fixture in
                let answer = try await fixture.exchange(
                    "POST http://web.example/x HTTP/1.1\r\nHost: web.example\r\nContent-Length: 5\r\n\r\nhello"
                        + "DELETE / HTTP/1.1\r\nHost: admin.example\r\n\r\n")
                #expect(answer.hasSuffix("\r\n\r\nok"))
                let all = seen.withLock { $0 }
                #expect(all.hasPrefix("POST /x HTTP/1.1\r\nhost: web.example\r\nconnection: close\r\n"))
                #expect(!all.contains("DELETE"))
            }
        }
    }

    @Test(arguments: [
        ("CONNECT evil.example:443 HTTP/1.1\r\n\r\n", "403", "policy"),
        ("CONNECT pypi.org:80 HTTP/1.1\r\n\r\n", "403", "policy"),
        ("POST http://deb.example/ HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "403", "method"),
        ("CONNECT pypi.org:443 HTTP/1.1\r\n\r\n", "502", "unknown_host"),
        ("CONNECT pypi.org HTTP/1.1\r\n\r\n", "400", "bad_request"),
        ("CONNECT inside.example:443 HTTP/1.1\r\n\r\n", "403", "private_address"),
        ("CONNECT mapped.example:443 HTTP/1.1\r\n\r\n", "403", "private_address"),
        ("CONNECT cloud.example:443 HTTP/1.1\r\n\r\n", "403", "private_address"),
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "400", "bad_request"),
        ("GET http://deb.example/ HTTP/1.1\nHost: deb.example\n\n\r\n\r\n", "400", "bad_request"),
    ])
    func `is refused, with the reason, and told of`(request: String, status: String, reason: String) async throws {
        let policy = EgressPolicy.list(
            "pypi.org", "GET,HEAD deb.example:80", "inside.example", "mapped.example", "cloud.example")
        let names = [
            "inside.example": ["10.0.0.1,127.0.0.1"], "mapped.example": ["::ffff:192.168.0.1,64:ff9b::7f00:1"],
            "cloud.example": ["169.254.169.254,fd00:ec2::254"],
        ]
        try await EgressFixture.with(policy, names: names) { fixture in
            let answer = try await fixture.exchange(request)
            #expect(answer.hasPrefix("HTTP/1.1 \(status) rookery: "), "\(answer)")
            #expect(answer.contains("\r\nx-rookery-refused: \(reason)\r\n"), "\(answer)")
            if reason == "policy" { #expect(answer.contains("policy 'team'") && answer.contains("egress.allow")) }
            try await eventually { fixture.authority.refused.contains { $0.reason == reason } }
        }
    }

    @Test(arguments: [
        "127.0.0.1", "127.1", "0177.0.0.1", "0x7f.0.0.1", "2130706433", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]", "[fe80::1%25lo]", "[::1%lo]",
        "0.0.0.0", "0", "localhost", "169.254.169.254", "[fd00:ec2::254]", "10.0.0.1", "127.0.0.1.", "[::]",
    ])
    func `no spelling of an address leads inside, though the policy is open`(host: String) async throws {
        try await EgressFixture.with(EgressPolicy.open, names: ["localhost": ["127.0.0.1"]]) { fixture in
            for request in ["CONNECT \(host):443 HTTP/1.1\r\n\r\n", "GET http://\(host)/ HTTP/1.1\r\n\r\n"] {
                let answer = try await fixture.exchange(request)
                #expect(answer.hasPrefix("HTTP/1.1 40"), "\(request) → \(answer)")
            }
        }
    }

    @Test func `a secret is for its host and for the methods that the policy lists`() async throws {
        var policy = EgressPolicy.list("GET,HEAD git.example", "pypi.org")
        policy.secrets = [
            EgressSecret(host: try #require(EgressHost("git.example")), header: "authorization", secret: "git")
        ]
        try await EgressFixture.with(policy) { fixture in
            for (request, answer) in [
                ("POST /egress/git.example/x HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "x-rookery-refused: method"),
                ("GET /egress/pypi.org/x HTTP/1.1\r\n\r\n", "x-rookery-refused: secret"),
                ("GET /egress/git.example:80/x HTTP/1.1\r\n\r\n", "x-rookery-refused: policy"),
                ("GET /egress/other.example/x HTTP/1.1\r\n\r\n", "x-rookery-refused: policy"),
                ("GET /egress/git.example/x HTTP/1.1\r\n\r\n", "x-rookery-refused: unknown_host"),
            ] {
                let refused = try await fixture.exchange(request)
                #expect(refused.contains(answer), "\(request) → \(refused)")
                #expect(!refused.contains("value of git"))
            }
        }
    }

    @Test(arguments: [
        (EgressSecretFault.notSet, "403", "rookery secret set git --host git.example"),
        (.otherHost, "403", "its own list of hosts does not have git.example"),
        (.unusable("/etc/secrets/git is empty"), "503", "the server's log says why"),
    ])
    func `a secret that is not sent is named, with what to do`(
        fault: EgressSecretFault, status: String, advice: String
    ) async throws {
        var policy = EgressPolicy.list("git.example")
        policy.secrets = [
            EgressSecret(host: try #require(EgressHost("git.example")), header: "authorization", secret: "git")
        ]
        try await EgressFixture.with(policy) { fixture in
            fixture.authority.secretFault.withLock { $0 = fault }
            let answer = try await fixture.exchange("GET /egress/git.example/x HTTP/1.1\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
            #expect(answer.contains("the secret 'git'") && answer.contains("policy 'team'"), "\(answer)")
            #expect(answer.contains(advice), "\(answer)")
            #expect(!answer.contains("/etc/secrets"), "\(answer)")
            try await eventually { fixture.authority.refused.first?.detail.contains(advice) == true }
            #expect(fixture.authority.refused.first?.reason == "secret")
            #expect(fixture.names.count("git.example") == 0)
        }
    }

    @Test func `a session's own list takes away and gives nothing`() async throws {
        let grant = EgressGrant(
            policy: "team", egress: EgressPolicy.list("pypi.org", "*.debian.org"),
            narrowed: [EgressTarget(host: "pypi.org"), EgressTarget(host: "evil.example")], tenant: 1)
        func allows(_ text: String) throws -> Bool {
            grant.allows(try #require(EgressDestination(authority: text)), method: nil)
        }
        #expect(try allows("pypi.org:443"))
        #expect(try !allows("deb.debian.org:443"))
        #expect(try !allows("evil.example:443"))
        let detail = EgressRefusal.policy(grant, try #require(EgressDestination(authority: "deb.debian.org:443")))
            .detail
        #expect(detail.contains("made with a list of hosts"))
    }

    @Test func `a name that changes its mind is looked up once`() async throws {
        // Public at first, this machine afterwards: whoever looked again would get there.
        let names = ["rebind.example": ["192.0.2.1,127.0.0.1", "127.0.0.1"]]
        try await StandInServer.with(StandInServer.counting) { port in
            try await EgressFixture.with(
                EgressPolicy.list("tcp rebind.example:\(port)"), names: names
            ) { fixture in
                let answer = try await fixture.exchange("CONNECT rebind.example:\(port) HTTP/1.1\r\n\r\n")
                #expect(answer.contains("x-rookery-refused: private_address"))
                #expect(fixture.names.count("rebind.example") == 1)
            }
        }
    }

    @Test func `TLS for another server than the tunnel's ends it, and so does what is no TLS`() async throws {
        let received = Mutex(0)
        try await StandInServer.with({ inbound, _ in
            for try await part in inbound { received.withLock { $0 += part.readableBytes } }
        }) { port in
            try await EgressFixture.with(
                EgressPolicy.list("pypi.org"), standIns: ["pypi.org:443": port]
            ) { fixture in
                let connect = Array("CONNECT pypi.org:443 HTTP/1.1\r\n\r\n".utf8)
                for (hello, reason) in [
                    (EgressTablesTests.hello("evil.example"), "server_name"),
                    (EgressTablesTests.hello(nil), "server_name"),
                    (Array("GET / HTTP/1.1\r\n\r\n".utf8), "not_tls"), (Array("SSH-2.0-x\r\n".utf8), "not_tls"),
                ] {
                    let answer = try await fixture.exchange(connect + hello)
                    #expect(answer.hasPrefix("HTTP/1.1 200 "))
                    try await eventually { fixture.authority.refused.contains { $0.reason == reason } }
                }
                #expect(received.withLock { $0 } == 0)
                let hello = EgressTablesTests.hello("pypi.org", records: [3, 10])
                let client = try await fixture.client()
                try await client.executeThenClose { inbound, outbound in
                    for byte in connect + hello { try await outbound.write(ByteBuffer(bytes: [byte])) }
                    outbound.finish()
                    for try await _ in inbound {}
                }
                try await eventually { received.withLock { $0 } == hello.count }
            }
        }
    }

    @Test func `a head without end is refused`() async throws {
        try await EgressFixture.with(EgressPolicy.open) { fixture in
            let answer = try await fixture.exchange(
                "GET http://a.example/ HTTP/1.1\r\n" + String(repeating: "X: yyyyyyyyyyyyyyyyyyyyyy\r\n", count: 4000))
            #expect(answer.hasPrefix("HTTP/1.1 431 "), "\(answer.prefix(200))")
        }
    }

    @Test func `a session that nobody knows, and a worker that names none, are refused`() async throws {
        try await EgressFixture.with(EgressPolicy.open) { fixture in
            let gone = UUID()
            fixture.authority.forget(gone)
            let answer = try await fixture.exchange("CONNECT a.example:443 HTTP/1.1\r\n\r\n", as: gone)
            #expect(answer.contains("x-rookery-refused: no_session"))
            #expect(
                fixture.authority.refused.isEmpty || fixture.authority.refused.allSatisfy { $0.reason == "no_session" })
        }
    }

    @Test func `only a session's own worker speaks for it, and another's attempt is not in its log`() async throws {
        let own = UUID()
        try await StandInServer.with(StandInServer.counting) { port in
            try await EgressFixture.with(
                EgressPolicy.list("tcp a.example:9"), standIns: ["a.example:9": port],
                speaksFor: { $0 == getpid() && $1 == own }
            ) { fixture in
                let connect = "CONNECT a.example:9 HTTP/1.1\r\n\r\n"
                let foreign = try await fixture.exchange(connect)
                #expect(foreign.hasPrefix("HTTP/1.1 403 rookery: the connection does not come from its session's own"))
                #expect(fixture.authority.refused.isEmpty)
                let client = try await fixture.client(as: own)
                let answer = try await client.executeThenClose { inbound, outbound in
                    try await outbound.write(ByteBuffer(string: connect))
                    outbound.finish()
                    var text = ""
                    for try await part in inbound { text += String(buffer: part) }
                    return text
                }
                #expect(answer.hasSuffix("got 0\n"))
            }
        }
    }

    @Test func `a server that speaks first and leaves is heard`() async throws {
        try await StandInServer.with({ _, outbound in
            try await outbound.write(ByteBuffer(string: "220 busy\n"))
        }) { port in
            try await EgressFixture.with(EgressPolicy.list("tcp a.example:9"), standIns: ["a.example:9": port]) {
                fixture in
                for _ in 0..<20 {
                    let answer = try await fixture.exchange("CONNECT a.example:9 HTTP/1.1\r\n\r\n")
                    #expect(answer == "HTTP/1.1 200 Connection established\r\n\r\n220 busy\n")
                }
            }
        }
    }

    @Test func `a body that is none is answered where nothing was answered yet`() async throws {
        try await StandInServer.with(StandInServer.counting) { port in
            try await EgressFixture.with(EgressPolicy.list("a.example:80"), standIns: ["a.example:80": port]) {
                fixture in
                let answer = try await fixture.exchange(
                    "POST http://a.example/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nhi\r\n0\r\n\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 400 rookery: the request's body"), "\(answer)")
            }
        }
    }

    /// What the client has sent when it ends its direction is read at once, whatever was asked of the transport.
}
