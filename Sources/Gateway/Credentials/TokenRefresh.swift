import AsyncHTTPClient
public import Foundation
import NIOCore
import NIOHTTP1

/// Trades a refresh token for an access token (RFC 6749, section 6).
public struct TokenRefresh: Sendable {
    /// How the token endpoint wants to be asked.
    public enum Form: String, Codable, Sendable, Hashable {
        /// As the RFC says.
        case form
        case json
    }

    public struct Answer: Sendable {
        public var accessToken: String
        /// nil: the one that was used stays valid.
        public var refreshToken: String?
        public var expiresIn: TimeInterval?
    }

    public enum Failure: Error, Sendable, Hashable {
        /// The endpoint does not take the token any more: only a person can help.
        case refused(status: Int)
        /// Not now.
        case unreachable
    }

    public init() {}

    /// - Throws: ``Failure``; never with anything of the tokens in it.
    public func refresh(
        at url: String, form: Form, clientID: String?, refreshToken: String
    ) async throws(Failure) -> Answer {
        var fields = ["grant_type": "refresh_token", "refresh_token": refreshToken]
        if let clientID { fields["client_id"] = clientID }
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers = ["accept": "application/json"]
        switch form {
        case .json:
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes((try? JSONEncoder().encode(fields)) ?? Data())
        case .form:
            request.headers.add(name: "content-type", value: "application/x-www-form-urlencoded")
            request.body = .bytes(
                Data(fields.map { "\($0)=\(Self.escaped($1))" }.sorted().joined(separator: "&").utf8))
        }
        let status: Int
        let body: ByteBuffer
        do {
            let response = try await Self.client.execute(request, timeout: .seconds(30))
            status = Int(response.status.code)
            body = try await response.body.collect(upTo: 256 << 10)
        } catch {
            throw .unreachable
        }
        if [400, 401, 403].contains(status) { throw .refused(status: status) }
        guard (200..<300).contains(status),
            let answer = try? JSONDecoder().decode(Document.self, from: Data(body.readableBytesView)),
            UpstreamGrant.isToken(answer.accessToken)
        else { throw .unreachable }
        return Answer(
            accessToken: answer.accessToken, refreshToken: answer.refreshToken, expiresIn: answer.expiresIn)
    }

    /// Never follows a redirect with a secret in its hands.
    private static let client = HTTPClient(
        eventLoopGroupProvider: .singleton,
        configuration: HTTPClient.Configuration(redirectConfiguration: .disallow))

    private static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    private struct Document: Decodable {
        var accessToken: String
        var refreshToken: String?
        var expiresIn: TimeInterval?

        enum CodingKeys: String, CodingKey {
            case accessToken = "access_token"
            case refreshToken = "refresh_token"
            case expiresIn = "expires_in"
        }
    }
}

extension UpstreamGrant {
    /// Whether a text can be a header's value: visible ASCII, nothing that would begin another line.
    public static func isToken(_ text: String) -> Bool {
        (1...16_384).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    }
}
