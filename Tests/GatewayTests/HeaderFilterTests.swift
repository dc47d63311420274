import HTTPTypes
import NIOHTTP1
import Testing

@testable import Gateway

@Suite struct HeaderFilterTests {
    @Test(arguments: [
        ("authorization", "Bearer x"), ("x-api-key", "x"), ("cookie", "a=b"), ("connection", "keep-alive"),
        ("te", "trailers"), ("upgrade", "h2c"), ("x-rookery-session", "x"), ("X-Rookery-Anything", "x"),
        ("x-forwarded-for", "::1"), ("host", "evil"), ("proxy-authorization", "Basic x"), ("expect", "100-continue"),
        ("accept-encoding", "gzip"),
    ])
    func `a request's field stays here`(name: String, value: String) throws {
        var fields = HTTPFields()
        fields.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value))
        #expect(try HeaderFilter.request(fields, grant: .to(key: nil)).isEmpty)
    }

    @Test(arguments: ["anthropic-version", "user-agent", "content-type", "x-stainless-retry-count"])
    func `a request's field goes on`(name: String) throws {
        var fields = HTTPFields()
        fields.append(HTTPField(name: try #require(HTTPField.Name(name)), value: "v"))
        #expect(try HeaderFilter.request(fields, grant: .to(key: nil)).first(name: name) == "v")
    }

    @Test func `a field that Connection names stays here`() throws {
        let fields: HTTPFields = [.connection: "close, X-Hop", try #require(HTTPField.Name("x-hop")): "1"]
        #expect(try HeaderFilter.request(fields, grant: .to(key: nil)).isEmpty)
    }

    @Test func `there is one key and it is ours`() throws {
        var fields = HTTPFields()
        for value in ["a", "b"] {
            fields.append(HTTPField(name: try #require(HTTPField.Name("X-Api-Key")), value: value))
        }
        #expect(try HeaderFilter.request(fields, grant: .to(key: "real"))["x-api-key"] == ["real"])
    }

    @Test func `a response loses what is upstream's own`() {
        let fields = HeaderFilter.response([
            "content-type": "text/event-stream", "transfer-encoding": "chunked", "set-cookie": "a=b",
            "retry-after": "3", "request-id": "r", "keep-alive": "timeout=5", "anthropic-organization-id": "o",
            "anthropic-ratelimit-tokens-remaining": "9", "cf-ray": "x", "server": "y",
        ])
        #expect(fields.map(\.name.canonicalName).sorted() == ["content-type", "request-id", "retry-after"])
    }
}

extension UpstreamGrant {
    static func to(key: String?) throws -> UpstreamGrant {
        UpstreamGrant(
            upstream: try #require(UpstreamURL(parsing: "http://h")), headers: key.map { [("x-api-key", $0)] } ?? [])
    }
}

@Suite struct ModelRouteTests {
    @Test(arguments: [
        ("POST", "/v1/messages", true), ("POST", "/v1/messages?beta=true", true), ("GET", "/v1/messages", false),
        ("POST", "/v1/messages/count_tokens", true), ("POST", "/v1/messages/", false),
        ("POST", "/v1/messages/batches", false), ("GET", "/v1/models", true), ("GET", "/v1/models/claude-x.5", true),
        ("GET", "/v1/models/", false), ("GET", "/v1/models/..", false), ("GET", "/v1/models/a/b", false),
        ("GET", "/v1/models/%2e%2e", false), ("HEAD", "/", true), ("GET", "/", false),
        ("POST", "//v1/messages", false), ("POST", "/v1/./messages", false), ("POST", "http://h/v1/messages", false),
        ("POST", "/v1/messages#x", false), ("POST", "", false), ("POST", "*", false), ("post", "/v1/messages", false),
    ])
    func `is a request allowed`(method: String, target: String, allowed: Bool) {
        #expect((ModelRoute.path(of: target).map { ModelRoute.allows(method: method, path: $0) } ?? false) == allowed)
    }
}

@Suite struct UpstreamURLTests {
    @Test(arguments: [
        ("https://api.anthropic.com", "https://api.anthropic.com"),
        ("http://127.0.0.1:1/base//", "http://127.0.0.1:1/base"),
        ("unix:/tmp/x.sock", "http+unix://%2Ftmp%2Fx%2Esock"), ("ftp://x", nil), ("api.anthropic.com", nil),
        ("https://user:pass@x", nil), ("https://x?y", nil), ("https://x#y", nil), ("unix:relative", nil), ("", nil),
    ])
    func `a URL is`(text: String, base: String?) { #expect(UpstreamURL(parsing: text)?.base == base) }
}
