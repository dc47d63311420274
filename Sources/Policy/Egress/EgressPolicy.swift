/// What sessions may reach of the world beside the model, through the gateway.
public struct EgressPolicy: Codable, Sendable, Hashable {
    public enum Mode: String, Codable, Sendable, Hashable, CaseIterable {
        case none
        /// What ``EgressPolicy/allow`` names.
        case list
        /// Every public host on the ports of the web, and what ``EgressPolicy/allow`` names.
        case open
    }

    public var mode: Mode
    public var allow: [EgressTarget]
    /// Of one session, at once.
    public var connections: Int
    /// Of one session, a second, both ways together; nil: as fast as it goes.
    public var bandwidth: ByteSize?
    /// Of one session, a day of UTC, both ways together; nil: without a limit.
    public var daily: ByteSize?
    /// Of all sessions of the tenant together, whatever their policies: past it, those of this policy wait or are refused.
    public var tenantConnections: Int
    public var tenantBandwidth: ByteSize?
    public var tenantDaily: ByteSize?
    /// Added to requests that go by the secured way.
    public var secrets: [EgressSecret]

    public init(
        mode: Mode = .none, allow: [EgressTarget] = [], connections: Int = 64, bandwidth: ByteSize? = nil,
        daily: ByteSize? = .gibibytes(20), tenantConnections: Int = 512, tenantBandwidth: ByteSize? = nil,
        tenantDaily: ByteSize? = nil, secrets: [EgressSecret] = []
    ) {
        self.mode = mode
        self.allow = allow
        self.connections = connections
        self.bandwidth = bandwidth
        self.daily = daily
        self.tenantConnections = tenantConnections
        self.tenantBandwidth = tenantBandwidth
        self.tenantDaily = tenantDaily
        self.secrets = secrets
    }

    /// The most entries of ``allow``.
    public static let mostTargets = 256

    enum CodingKeys: String, CodingKey, CaseIterable {
        case mode, allow, connections, bandwidth, daily
        case tenantConnections = "tenant_connections"
        case tenantBandwidth = "tenant_bandwidth"
        case tenantDaily = "tenant_daily"
        case secrets
    }
}

/// What may be asked for, before any name is resolved.
extension EgressPolicy {
    /// The ports of the web, which `open` opens.
    static let webPorts: Set<Int> = [80, 443]

    /// - Parameter method: of plain HTTP; nil for a tunnel.
    public func allows(_ host: EgressHost, port: Int, method: String?) -> Bool {
        switch mode {
        case .none: false
        case .list: allow.contains { $0.matches(host, port: port, method: method) }
        case .open: Self.webPorts.contains(port) || allow.contains { $0.matches(host, port: port, method: method) }
        }
    }

    /// Whether what goes through a tunnel has to be TLS for that host.
    public func requiresTLS(_ host: EgressHost, port: Int) -> Bool {
        !allow.contains { !$0.tls && $0.matches(host, port: port, method: nil) }
    }
}
