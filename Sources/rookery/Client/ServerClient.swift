import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOPosix
import SessionCore

/// Speaks to a server's API.
struct ServerClient: Sendable {
    let address: ServerAddress
    let token: String?

    /// The largest document that is read.
    private static let largest = 64 << 20

    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.timeout = .init(connect: .seconds(5))
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    @discardableResult
    func send(
        _ method: HTTPMethod, _ path: String, body: JSONValue? = nil, headers: HTTPHeaders = [:]
    ) async throws -> JSONValue {
        let data = try await sendForText(method, path, body: body, headers: headers)
        guard !data.isEmpty else { return .null }
        do {
            return try JSONDecoder().decode(JSONValue.self, from: data)
        } catch {
            throw Failure.refused("\(address) answered \(method.rawValue) \(path) with something that is not JSON")
        }
    }

    /// The answer's body as it is.
    func sendForText(
        _ method: HTTPMethod, _ path: String, body: JSONValue? = nil, headers: HTTPHeaders = [:]
    ) async throws -> Data {
        var request = self.request(method, path, headers)
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(try JSONEncoder.rookery.encode(body))
        }
        // A session's start and its graceful end take seconds; nothing takes minutes.
        let response = try await reach { try await Self.http.execute(request, timeout: .minutes(3)) }
        let data = try await reach { Data(buffer: try await response.body.collect(upTo: Self.largest)) }
        guard (200..<300).contains(response.status.code) else { throw Self.refusal(response.status.code, data) }
        return data
    }

    /// An event stream, until the server or the caller ends it.
    func events(_ path: String, _ receive: (ServerSentEvent) throws -> Void) async throws {
        let request = request(.GET, path, ["accept": "text/event-stream"])
        let response = try await reach { try await Self.http.execute(request, deadline: .distantFuture) }
        guard response.status == .ok else {
            let data = try await reach { Data(buffer: try await response.body.collect(upTo: Self.largest)) }
            throw Self.refusal(response.status.code, data)
        }
        var parser = ServerSentEventParser()
        var body = response.body.makeAsyncIterator()
        while let part = try await reach({ try await body.next() }) {
            for event in parser.parse(part.readableBytesView) { try receive(event) }
        }
    }

    /// A body of any length, piece by piece.
    func download(_ path: String, _ receive: (Data) -> Void) async throws {
        let request = request(.GET, path, [:])
        let response = try await reach { try await Self.http.execute(request, deadline: .distantFuture) }
        guard response.status == .ok else {
            let data = try await reach { Data(buffer: try await response.body.collect(upTo: Self.largest)) }
            throw Self.refusal(response.status.code, data)
        }
        var body = response.body.makeAsyncIterator()
        while let part = try await reach({ try await body.next() }) { receive(Data(buffer: part)) }
    }

    private func request(_ method: HTTPMethod, _ path: String, _ headers: HTTPHeaders) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: address.base + path)
        request.method = method
        request.headers = headers
        // A Unix socket's path is no host name.
        request.headers.replaceOrAdd(name: "host", value: address.host)
        if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        return request
    }

    private func reach<Result>(_ call: () async throws -> Result) async throws -> Result {
        do {
            return try await call()
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw Failure.unreachable(
                "\(address) cannot be reached: \(Self.reason(error)); is 'rookery serve' running there? "
                    + "--server or ROOKERY_SERVER names another")
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { reason($0.error) } ?? "no address of \(error.host) answers"
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case let error as HTTPClientError: error.shortDescription
        default: "\(error)"
        }
    }

    /// What a problem document (RFC 9457) says.
    static func refusal(_ status: UInt, _ data: Data) -> Failure {
        let problem = try? JSONDecoder().decode(JSONValue.self, from: data)
        var text = printable(problem?["detail"]?.string ?? "the server answered \(status)")
        if let remedy = problem?["remedy"]?.string, !remedy.isEmpty, !text.contains(remedy) {
            text += "\nremedy: \(printable(remedy))"
        }
        if status == 401 { text += "\nGive a token with --token-file or ROOKERY_TOKEN." }
        return .refused(text)
    }
}
