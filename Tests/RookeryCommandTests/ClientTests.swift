import ArgumentParser
import Foundation
import SessionCore
import Testing

@testable import rookery

@Suite struct ServerAddressTests {
    @Test(
        arguments: [
            ("http://127.0.0.1:3000", .tcp(host: "127.0.0.1", port: 3000, tls: false)),
            ("http://box", .tcp(host: "box", port: 80, tls: false)),
            ("https://box/", .tcp(host: "box", port: 443, tls: true)),
            ("http://[::1]:80", .tcp(host: "::1", port: 80, tls: false)),
            ("unix:/run/r.sock", .unix(path: "/run/r.sock")),
            ("127.0.0.1:3000", nil), ("http://box/path", nil), ("http://u:p@box", nil), ("unix:r", nil), ("", nil),
            ("ftp://box", nil),
        ] as [(String, ServerAddress.Target?)])
    func `an address is`(text: String, target: ServerAddress.Target?) {
        #expect(ServerAddress(parsing: text)?.target == target)
    }

    @Test(arguments: [
        ("http://[::1]:80", "http://[::1]:80", "[::1]:80"), ("https://box", "https://box:443", "box:443"),
        ("unix:/a.b", "http+unix://%2Fa%2Eb", "localhost"),
    ])
    func `requests go to`(text: String, base: String, host: String) {
        #expect(ServerAddress(parsing: text)?.base == base)
        #expect(ServerAddress(parsing: text)?.host == host)
    }
}

@Suite struct ClientOptionsTests {
    @Test(
        arguments: [
            ([], [:], "http://127.0.0.1:3000"), ([], ["ROOKERY_SERVER": "http://a:1"], "http://a:1"),
            (["--server", "http://b:2"], ["ROOKERY_SERVER": "http://a:1"], "http://b:2"),
            ([], ["ROOKERY_SERVER": ""], "http://127.0.0.1:3000"),
        ] as [([String], [String: String], String)])
    func `the server is the flag's, then the environment's`(
        arguments: [String], environment: [String: String], server: String
    ) throws {
        #expect(try ClientOptions.parse(arguments).address(environment).description == server)
    }

    @Test func `the token is the flag's file, then the environment's`() throws {
        let directory = "/tmp/rkc-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory + "/rookery", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try "of-the-file\n".write(toFile: directory + "/file", atomically: true, encoding: .utf8)
        let flag = ["--token-file", directory + "/file"]
        #expect(try ClientOptions.parse(flag).token(["ROOKERY_TOKEN": "t"]) == "of-the-file")
        #expect(try ClientOptions.parse([]).token(["ROOKERY_TOKEN": "t"]) == "t")
        #expect(try ClientOptions.parse([]).token(["ROOKERY_TOKEN": directory + "/file"]) == "of-the-file")
        let missing = #expect(throws: Failure.self) {
            try ClientOptions.parse(["--token-file", directory + "/none"]).token([:])
        }
        #expect(missing?.status == 2)
    }
}

@Suite struct DefaultDirectoriesTests {
    @Test(
        arguments: [
            (0, ["XDG_STATE_HOME": "/x"], "/var/lib/rookery", "/run/rookery"),
            (7, ["HOME": "/h"], "/h/.local/state/rookery", "/tmp/rookery-7"),
            (7, ["HOME": "/h", "XDG_STATE_HOME": "/s", "XDG_RUNTIME_DIR": "/r"], "/s/rookery", "/r/rookery"),
            (7, ["HOME": "/h", "XDG_STATE_HOME": "relative"], "/h/.local/state/rookery", "/tmp/rookery-7"),
        ] as [(uid_t, [String: String], String, String)])
    func `state and sockets are in`(uid: uid_t, environment: [String: String], state: String, runtime: String) {
        let directories = DefaultDirectories(environment: environment, uid: uid)
        #expect(directories.state == state && directories.runtime == runtime)
    }
}

@Suite struct InstallationTests {
    @Test(arguments: [
        ("/opt/r/.build/x/debug/rookery", "/opt/r/run_cc.sh", "/opt/r/Policies"),
        ("/usr/local/bin/rookery", "/usr/local/share/rookery/run_cc.sh", "/usr/local/share/rookery/Policies"),
        ("/bin/rookery", "/nowhere", "/bin/Policies"),
    ])
    func `files are found from the executable`(executable: String, marker: String, policies: String) {
        #expect(Installation(executable: executable) { $0 == marker }.policies == policies)
    }
}

@Suite struct ServerSentEventParserTests {
    private static let stream =
        "retry: 3\n\n: hi\n\nid: 4\nevent: a.b\ndata: {\"x\":1}\n\nid:5\r\ndata:one\r\ndata:two\r\n\r\n"
    private static let expected = [
        ServerSentEvent(id: "4", type: "a.b", data: #"{"x":1}"#), .init(id: "5", type: "message", data: "one\ntwo"),
    ]

    @Test(arguments: [1, 2, 3, 7, 1000])
    func `a stream gives the same events however it is cut`(size: Int) {
        var parser = ServerSentEventParser()
        var events: [ServerSentEvent] = []
        var rest = Array(Self.stream.utf8)[...]
        while !rest.isEmpty {
            events += parser.parse(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        #expect(events == Self.expected)
    }
}

@Suite struct OutputTests {
    @Test func `columns line up and control characters are shown harmless`() {
        let text = table(["A", "NAME"], [["1", "evil\u{1b}[2J"], ["22", ""]])
        #expect(text == "A   NAME\n1   evil\u{fffd}[2J\n22")
    }

    @Test(arguments: [(30, "30s"), (90, "1m"), (7200, "2h"), (200_000, "2d"), (-5, "0s")])
    func `an age is`(seconds: Int, text: String) {
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        let time = now.addingTimeInterval(-Double(seconds)).formatted(.rookery)
        #expect(age(time, now: now) == text)
    }

    @Test func `a refusal shows detail and remedy`() {
        let failure = ServerClient.refusal(503, Data(#"{"detail":"no","remedy":"do this"}"#.utf8))
        #expect(failure == .refused("no\nremedy: do this"))
    }

    @Test(
        arguments: [
            ([:], ""), (["a": "b c", "x": "1+2&3"], "?a=b%20c&x=1%2B2%263"),
        ] as [([String: String], String)])
    func `a query is`(members: [String: String], text: String) { #expect(queryString(members) == text) }
}
