public import Foundation

/// With what a session's requests go upstream: where to, and the headers that prove who pays.
public struct UpstreamGrant: Sendable {
    public var upstream: UpstreamURL
    /// Set in place of whatever the sandbox sent.
    public var headers: [(name: String, value: String)]
    /// Who shares with the others as one.
    public var tenant: Int64

    public init(upstream: UpstreamURL, headers: [(name: String, value: String)], tenant: Int64 = 0) {
        self.upstream = upstream
        self.headers = headers
        self.tenant = tenant
    }

    /// Whether upstream would see the same.
    public func isSame(as other: UpstreamGrant) -> Bool {
        upstream == other.upstream && headers.elementsEqual(other.headers) { $0 == $1 }
    }
}

extension UpstreamGrant: CustomStringConvertible {
    /// Without the values.
    public var description: String { "\(upstream) with \(headers.map(\.name).joined(separator: ", "))" }
}

/// Says what a session may use, by whom it belongs to.
public protocol ModelAccess: Sendable {
    /// - Throws: ``Refusal`` for a session that may ask nothing.
    func grant(for session: UUID) async throws(Refusal) -> UpstreamGrant
    /// After upstream refused the credential: what takes its place. nil when there is nothing better.
    func renewed(_ grant: UpstreamGrant, for session: UUID) async -> UpstreamGrant?
}

/// One key for everybody, or none.
public struct SharedKey: ModelAccess {
    private let shared: UpstreamGrant

    /// - Parameter apiKey: nil for an upstream that needs none.
    public init(upstream: UpstreamURL, apiKey: String?) {
        shared = UpstreamGrant(upstream: upstream, headers: apiKey.map { [("x-api-key", $0)] } ?? [])
    }

    public func grant(for session: UUID) async throws(Refusal) -> UpstreamGrant { shared }
    public func renewed(_ grant: UpstreamGrant, for session: UUID) async -> UpstreamGrant? { nil }
}
