import Policy

extension EgressPolicy {
    var sessionLimits: EgressAccount.Limits {
        EgressAccount.Limits(
            connections: connections, bytesPerSecond: bandwidth?.bytes, bytesPerDay: daily?.bytes)
    }

    /// Of all sessions of the tenant together.
    var tenantLimits: EgressAccount.Limits {
        EgressAccount.Limits(
            connections: tenantConnections, bytesPerSecond: tenantBandwidth?.bytes, bytesPerDay: tenantDaily?.bytes)
    }
}
