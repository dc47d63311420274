import NIOCore
import Testing

@testable import Gateway

@Suite struct ProxyRequestTests {
    private func read(_ head: String) throws -> ProxyRequest { try ProxyRequest(head: Array(head.utf8)) }

    @Test func `a CONNECT is a tunnel`() throws {
        let request = try read("CONNECT PyPI.org:443 HTTP/1.1\r\nHost: pypi.org:443\r\nUser-Agent: pip\r\n\r\n")
        #expect(request.target.description == "pypi.org:443")
        guard case .tunnel = request.kind else { Issue.record("\(request)"); return }
    }

    @Test func `a plain request goes on in origin form, with one Host and without what is only for the proxy`() throws {
        let request = try read(
            "POST http://Example.com:8080/a?b=c HTTP/1.1\r\nHost: other.example\r\nProxy-Authorization: x\r\n"
                + "Connection: keep-alive, X-Hop , content-length\r\nX-Hop: 1\r\nContent-Length: 5\r\nAccept:  */* \r\n\r\n"
        )
        #expect(request.target.description == "example.com:8080")
        guard case .plain(let plain) = request.kind else { Issue.record("\(request)"); return }
        #expect(plain.method == "POST")
        #expect(plain.body == .length(5))
        #expect(
            plain.head(for: request.target)
                == "POST /a?b=c HTTP/1.1\r\nhost: example.com:8080\r\nconnection: close\r\naccept: */*\r\n"
                + "content-length: 5\r\n\r\n")
    }

    @Test(arguments: [
        ("http://example.com", "GET / HTTP/1.1\r\nhost: example.com\r\n"),
        ("HTTP://example.com?x", "GET /?x HTTP/1.1\r\nhost: example.com\r\n"),
        ("/egress/github.com/a/b.git/info/refs?x", "GET /a/b.git/info/refs?x HTTP/1.1\r\nhost: github.com\r\n"),
        ("/egress/github.com:8443", "GET / HTTP/1.1\r\nhost: github.com:8443\r\n"),
        ("http://[2606:4700::1111]:8080/", "GET / HTTP/1.1\r\nhost: [2606:4700::1111]:8080\r\n"),
    ])
    func `a URL becomes`(url: String, start: String) throws {
        let request = try read("GET \(url) HTTP/1.1\r\n\r\n")
        guard case .plain(let plain) = request.kind else {
            Issue.record("not plain")
            return
        }
        #expect(plain.head(for: request.target).hasPrefix(start))
    }

    @Test func `a secret takes the place of what the sandbox sent under its name`() throws {
        let request = try read(
            "GET /egress/github.com/x HTTP/1.1\r\nAuthorization: own\r\nConnection: authorization\r\n\r\n")
        guard case .plain(let plain) = request.kind else { Issue.record("\(request)"); return }
        let head = plain.head(for: request.target, adding: ("authorization", "Bearer real"))
        #expect(
            head == "GET /x HTTP/1.1\r\nhost: github.com\r\nconnection: close\r\nauthorization: Bearer real\r\n\r\n")
    }

    @Test(arguments: [
        "GET /egress/ HTTP/1.1\r\n\r\n", "GET /egress/127.1/ HTTP/1.1\r\n\r\n", "GET /egress/a@b/ HTTP/1.1\r\n\r\n",
        "GET http://a.example/ HTTP/1.1\nHost: a.example\n\n", "GET http://a.example/ HTTP/1.1\r\nHost: a\n\r\n\r\n",
        "GET http://a.example/ HTTP/1.1\r\nX: a\rb\r\n\r\n", "GET http://a.example/ HTTP/1.1\r\nX: a\u{0}b\r\n\r\n",
        "GET http://a.example/ HTTP/1.1\r\nX: \u{e4}\r\n\r\n", "GET  http://a.example/ HTTP/1.1\r\n\r\n",
        "GET http://a.example/ HTTP/1.1 \r\n\r\n", "GET http://a.example/ HTTP/2.0\r\n\r\n",
        "GET http://a.example/\r\n\r\n", " GET http://a.example/ HTTP/1.1\r\n\r\n", "\r\n\r\n", "",
        "GET http://a.example/ HTTP/1.1\r\nX : a\r\n\r\n", "GET http://a.example/ HTTP/1.1\r\n X: a\r\n\r\n",
        "GET http://a.example/ HTTP/1.1\r\nX: a\r\n folded\r\n\r\n",
        "GET http://a.example/ HTTP/1.1\r\nnothing\r\n\r\n",
        "GET http://a.example/ HTTP/1.1\r\n: a\r\n\r\n", "GET http://a.example/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "POST http://a.example/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST http://a.example/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "POST http://a.example/ HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
        "POST http://a.example/ HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n",
        "POST http://a.example/ HTTP/1.1\r\nContent-Length: 9999999999999999999\r\n\r\n",
        "POST http://a.example/ HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "POST http://a.example/ HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "POST http://a.example/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST http://a.example/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET https://a.example/ HTTP/1.1\r\n\r\n", "GET ftp://a.example/ HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "GET http://user@a.example/ HTTP/1.1\r\n\r\n", "GET http://a.example:0/ HTTP/1.1\r\n\r\n",
        "GET http://127.1/ HTTP/1.1\r\n\r\n", "GET http://2130706433/ HTTP/1.1\r\n\r\n",
        "GET http://a.example/#x HTTP/1.1\r\n\r\n", "BREW http://a.example/ HTTP/1.1\r\n\r\n",
        "CONNECT a.example HTTP/1.1\r\n\r\n", "CONNECT http://a.example:443 HTTP/1.1\r\n\r\n",
        "CONNECT a.example:443/x HTTP/1.1\r\n\r\n", "CONNECT a.example:443 HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
        "CONNECT [::1%lo]:443 HTTP/1.1\r\n\r\n",
    ])
    func `is refused as a bad request`(head: String) {
        #expect { _ = try read(head) } throws: { ($0 as? EgressRefusal)?.reason == .badRequest }
    }

    @Test func `many fields are refused`() {
        let fields = String(repeating: "X: y\r\n", count: 129)
        #expect { _ = try read("GET http://a.example/ HTTP/1.1\r\n\(fields)\r\n") } throws: {
            ($0 as? EgressRefusal)?.status == 431
        }
    }

    @Test(
        arguments: [
            (BodyFraming.none, "GET / HTTP/1.1", 0), (.length(5), "hello", 5), (.length(5), "helloGET /", 5),
            (.chunked, "5\r\nhello\r\n0\r\n\r\n", 15), (.chunked, "5\r\nhello\r\n0\r\n\r\nGET / ", 15),
            (.chunked, "0005\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n", 33),
        ] as [(BodyFraming, String, Int)])
    func `a body ends where it says, however it comes`(framing: BodyFraming, text: String, length: Int) throws {
        let bytes = Array(text.utf8)
        var whole = BodyReader(framing)
        #expect(try whole.take(bytes) == length)
        #expect(whole.isOver)
        var drip = BodyReader(framing)
        var taken = 0
        for byte in bytes { taken += try drip.take([byte]) }
        #expect(taken == length)
    }

    @Test(arguments: [
        "5;x=y\r\nhello\r\n", "\r\n", "5\nhello", "5\r\nhelloX", "-1\r\n", "0x5\r\nhello", "0\r\nTrailer: x\r\n\r\n",
        " 5\r\n",
        "FFFFFFFFFFFFFFFF\r\n",
    ])
    func `is no chunk`(text: String) {
        var reader = BodyReader(.chunked)
        #expect(throws: BodyReader.Malformed.self) { _ = try reader.take(Array(text.utf8)) }
    }
}
