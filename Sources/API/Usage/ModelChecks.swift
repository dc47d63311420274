import Gateway

/// What `/readyz` says of the model API. It makes nobody unready: what runs goes on, and is told.
enum ModelChecks {
    static func of(_ standings: [UpstreamHealth.Standing], upstream: String) -> [String: String] {
        var checks = ["model": "ok"]
        if let own = standings.first(where: { $0.upstream == upstream }), own.isOpen {
            checks["model"] = "does not answer (\(own.failures) requests in a row)"
        }
        let others = standings.filter { $0.upstream != upstream }
        let silent = others.count { $0.isOpen }
        if silent > 0 { checks["model_others"] = "\(silent) of \(others.count) upstreams do not answer" }
        return checks
    }
}
