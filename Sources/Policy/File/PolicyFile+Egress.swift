/// What the gateway carries out.
extension PolicyFile {
    func egress(_ value: PolicyValue, _ reading: inout PolicyReading) throws(FileFault) {
        let entries = try reading.entries(of: value.node, prefix: "egress.", as: EgressPolicy.CodingKeys.self)
        for (key, value) in entries {
            reading.attempt { reading throws(FileFault) in
                if key == .secrets {
                    reading.policy.egress.secrets = try secrets(value, &reading)
                } else {
                    try egress(key, value, &reading.policy.egress)
                }
            }
        }
    }

    private func egress(
        _ key: EgressPolicy.CodingKeys, _ value: PolicyValue, _ egress: inout EgressPolicy
    ) throws(FileFault) {
        func size(_ range: ClosedRange<ByteSize>) throws(FileFault) -> ByteSize? {
            try value.optional("none") { value throws(FileFault) in try value.size(in: range) }
        }
        switch key {
        case .mode: egress.mode = try value.word("a mode of egress", of: EgressPolicy.Mode.self)
        case .allow: egress.allow = try targets(value)
        case .connections: egress.connections = try value.integer(in: PolicyBounds.egressConnections)
        case .bandwidth: egress.bandwidth = try size(PolicyBounds.egressBandwidth)
        case .daily: egress.daily = try size(PolicyBounds.egressDaily)
        case .tenantConnections:
            egress.tenantConnections = try value.integer(in: PolicyBounds.egressTenantConnections)
        case .tenantBandwidth: egress.tenantBandwidth = try size(PolicyBounds.egressBandwidth)
        case .tenantDaily: egress.tenantDaily = try size(PolicyBounds.egressDaily)
        case .secrets: break
        }
    }

    private func secrets(
        _ value: PolicyValue, _ reading: inout PolicyReading
    ) throws(FileFault) -> [EgressSecret] {
        var secrets: [EgressSecret] = []
        for element in try value.list(most: EgressSecret.most) {
            var host: EgressHost?
            var header: String?
            var secret: String?
            let entries = try reading.entries(
                of: element.node, prefix: "\(element.key).", as: EgressSecretKey.self)
            for (key, value) in entries {
                let text = try value.string()
                let isFine: Bool
                switch key {
                case .host:
                    host = EgressHost(text)
                    isFine = host.map { !$0.isAddress && $0.text == text } ?? false
                case .header:
                    header = text.lowercased()
                    isFine = EgressSecret.isHeader(text)
                case .secret:
                    secret = text
                    isFine = SessionPolicy.isName(text)
                }
                guard isFine else {
                    throw value.fault(
                        "'\(PolicyValue.shown(text))' is not a \(key.rawValue) here",
                        remedy: "write {host: github.com, header: authorization, secret: NAME-OF-A-SECRET}")
                }
            }
            guard let host, let header, let secret else {
                throw element.fault(
                    "lacks host, header or secret",
                    remedy: "write {host: github.com, header: authorization, secret: NAME-OF-A-SECRET}")
            }
            guard !secrets.contains(where: { $0.host == host }) else {
                throw element.fault("is the second secret for '\(host.text)'", remedy: "keep one")
            }
            secrets.append(EgressSecret(host: host, header: header, secret: secret))
        }
        return secrets
    }

    private func targets(_ value: PolicyValue) throws(FileFault) -> [EgressTarget] {
        var targets: [EgressTarget] = []
        for value in try value.list(most: EgressPolicy.mostTargets) {
            let text = try value.string()
            guard let target = EgressTarget(parsing: text) else {
                throw value.fault(
                    "'\(PolicyValue.shown(text))' is not a host that can be let out to",
                    remedy: "write 'pypi.org', '*.debian.org:80,443', 'GET,HEAD deb.debian.org:80' or 'tcp host:22'")
            }
            guard !targets.contains(target) else { throw value.fault("is there twice", remedy: "keep one") }
            targets.append(target)
        }
        return targets
    }
}
