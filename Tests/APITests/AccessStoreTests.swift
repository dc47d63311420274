import Foundation
import Registry
import SessionCore
import Testing

@testable import API

@Suite struct OriginPolicyTests {
    private func request(
        host: String?, origin: String? = nil, method: String = "POST", listeners: [APIListener] = []
    ) -> CallerRequest {
        CallerRequest(
            method: method, hosts: host.map { [$0] } ?? [], origin: origin, isUpgrade: method == "UPGRADE")
    }

    @Test(arguments: [
        ("localhost", true), ("LOCALHOST:3000", true), ("127.0.0.1:3000", true), ("127.9.9.9", true),
        ("[::1]:3000", true), ("10.0.0.5:3000", true), ("box.example", true), ("evil.example", false),
        ("localhost.evil.example", false), ("127.0.0.1.evil.example", false), ("10.0.0.6", false), ("", false),
        ("localhost:x", false), ("localhost:0", false), ("[::1", false), ("2130706433", false), ("localhost ", false),
    ])
    func acceptsOnlyItsOwnNames(host: String, fine: Bool) {
        let policy = OriginPolicy(
            listeners: [.tcp(host: "10.0.0.5", port: 3000)], allowedHosts: ["Box.example"], allowedOrigins: [])
        let accepted = (try? policy.checkHost(request(host: host))) != nil
        #expect(accepted == fine)
    }

    @Test func anyAddressButNoNameOnAWildcardListener() throws {
        let policy = OriginPolicy(listeners: [.tcp(host: "0.0.0.0", port: 1)], allowedHosts: [], allowedOrigins: [])
        try policy.checkHost(request(host: "192.168.7.7:3000"))
        #expect(throws: Problem.self) { try policy.checkHost(request(host: "evil.example")) }
    }

    @Test func twoHostsAreNone() {
        let policy = OriginPolicy(listeners: [], allowedHosts: [], allowedOrigins: [])
        var twice = request(host: "localhost")
        twice.hosts.append("localhost")
        #expect(throws: Problem.self) { try policy.checkHost(twice) }
        #expect(throws: Problem.self) { try policy.checkHost(request(host: nil)) }
    }

    @Test(arguments: [
        ("http://localhost:3000", "POST", true), ("HTTP://LOCALHOST:3000", "POST", true),
        ("http://localhost", "POST", false), ("http://localhost:3001", "UPGRADE", false),
        ("http://evil.example", "POST", false), ("null", "POST", false), ("http://evil.example", "GET", true),
        ("http://evil.example", "UPGRADE", false), ("https://pages.example", "POST", true),
        ("file://", "POST", false), ("http://localhost:3000@evil.example", "POST", false),
    ])
    func foreignPagesChangeNothing(origin: String, method: String, fine: Bool) {
        let policy = OriginPolicy(listeners: [], allowedHosts: [], allowedOrigins: ["https://pages.example"])
        let request = request(host: "localhost:3000", origin: origin, method: method)
        let accepted = (try? policy.checkOrigin(request, required: true)) != nil
        #expect(accepted == fine)
    }

    @Test func schemesHaveTheirDefaultPorts() throws {
        let policy = OriginPolicy(listeners: [], allowedHosts: ["box"], allowedOrigins: [])
        try policy.checkOrigin(request(host: "box", origin: "https://box"), required: true)
        try policy.checkOrigin(request(host: "box:443", origin: "https://box"), required: true)
        #expect(throws: Problem.self) {
            try policy.checkOrigin(request(host: "box:80", origin: "https://box"), required: true)
        }
    }

    @Test func aMissingOriginCountsOnlyWithoutACookie() throws {
        let policy = OriginPolicy(listeners: [], allowedHosts: [], allowedOrigins: [])
        try policy.checkOrigin(request(host: "localhost"), required: false)
        #expect(throws: Problem.self) { try policy.checkOrigin(request(host: "localhost"), required: true) }
    }
}

extension CallerRequest {
    fileprivate init(method: String, hosts: [String], origin: String?, isUpgrade: Bool) {
        self.init(
            method: method, path: "/", query: Query(), hosts: hosts, origin: origin, authorization: nil, cookies: [],
            isUpgrade: isUpgrade, remote: "127.0.0.1", overUnixSocket: false)
    }
}

@Suite struct AccessStoreTests {
    private let ann = FakeTokens.principal(.user)

    @Test func aTicketWorksOnce() throws {
        let store = TicketStore()
        let ticket = try store.issue(to: ann, session: nil).ticket
        #expect(store.redeem(ticket, session: SessionID()) == ann)
        #expect(store.redeem(ticket, session: SessionID()) == nil)
    }

    @Test func aTicketEndsAfterThirtySeconds() throws {
        let store = TicketStore()
        let now = Date()
        let ticket = try store.issue(to: ann, session: nil, now: now)
        #expect(ticket.expires == now.addingTimeInterval(30))
        #expect(store.redeem(ticket.ticket, session: nil, now: now.addingTimeInterval(31)) == nil)
    }

    @Test func aTicketOfOneSessionIsGoodForNoOther() throws {
        let store = TicketStore()
        let id = SessionID()
        #expect(store.redeem(try store.issue(to: ann, session: id).ticket, session: id) == ann)
        let ticket = try store.issue(to: ann, session: id).ticket
        #expect(store.redeem(ticket, session: SessionID()) == nil)
        #expect(store.redeem(ticket, session: id) == nil, "a wrong try uses it up")
        #expect(store.redeem(try store.issue(to: ann, session: id).ticket, session: nil) == nil)
    }

    @Test func nobodyCollectsTickets() throws {
        let store = TicketStore()
        for _ in 0..<TicketStore.mostEach { _ = try store.issue(to: ann, session: nil) }
        let problem = #expect(throws: Problem.self) { try store.issue(to: ann, session: nil) }
        #expect(problem?.status == 429)
        var other = ann
        other.userID = 2
        _ = try store.issue(to: other, session: nil)
        _ = try store.issue(to: ann, session: nil, now: Date().addingTimeInterval(31))
    }

    @Test func aLoginEndsAndIsBounded() {
        let store = LoginStore()
        let now = Date()
        let login = store.open(tokenID: "t", now: now)
        #expect(store.login(of: login.value, now: now)?.tokenID == "t")
        #expect(store.login(of: login.value + "x", now: now)?.tokenID == nil)
        #expect(store.login(of: login.value, now: login.expires.addingTimeInterval(1))?.tokenID == nil)
        let again = store.open(tokenID: "t", now: now)
        store.close(again.value)
        #expect(store.login(of: again.value, now: now)?.tokenID == nil)
    }

    @Test func guessingIsSlowedPerAddress() throws {
        let throttle = LoginThrottle()
        let now = ContinuousClock.now
        for _ in 0..<LoginThrottle.mostEach {
            try throttle.check("a", now: now)
            throttle.failed("a")
        }
        let problem = #expect(throws: Problem.self) { try throttle.check("a", now: now) }
        #expect(problem?.status == 429)
        #expect((problem?.retryAfter ?? 0) > 0)
        try throttle.check("b", now: now)
        try throttle.check("a", now: now + .seconds(61))
    }
}
