/// Values that are each fine and cannot hold together.
struct PolicyContradiction: Hashable {
    /// The dotted keys whose values contradict each other; the first is the one to name when all are written.
    var keys: [String]
    var problem: String
    var remedy: String
}

extension SessionPolicy {
    /// What no policy can mean. A pure function of the policy as it results; empty for a policy that can be used.
    /// - Parameter trusted: the operator's word that everybody who may use the policy may use the host's network.
    func contradictions(trusted: Bool) -> [PolicyContradiction] {
        limitContradictions + idleContradictions + sandboxContradictions + networkContradictions(trusted: trusted)
            + egressContradictions + claudeContradictions + boundContradictions
    }

    private var limitContradictions: [PolicyContradiction] {
        sandbox.limits.contradictions.map {
            PolicyContradiction(
                keys: ["limits.\($0.key)", "limits.\($0.other)"], problem: "\($0.value) is out of bounds",
                remedy: "allowed is \($0.allowed)")
        }
    }

    private var idleContradictions: [PolicyContradiction] {
        guard let timeout = idle.timeout else { return [] }
        var found: [PolicyContradiction] = []
        if let freeze = idle.freezeAfter, freeze >= timeout {
            found.append(
                PolicyContradiction(
                    keys: ["freeze_after", "idle_timeout"],
                    problem: "\(freeze) is not before idle_timeout, \(timeout): the session would be parked unfrozen",
                    remedy: "write less than \(timeout), or never"))
        }
        if idle.warning > timeout {
            found.append(
                PolicyContradiction(
                    keys: ["reap_warning", "idle_timeout"],
                    problem: "\(idle.warning) is over idle_timeout, \(timeout)", remedy: "write at most \(timeout)"))
        }
        return found
    }

    private var sandboxContradictions: [PolicyContradiction] {
        var found: [PolicyContradiction] = []
        for call in sandbox.seccomp.allow.intersection(sandbox.seccomp.refuse).sorted() {
            found.append(
                PolicyContradiction(
                    keys: ["seccomp.allow", "seccomp.refuse"], problem: "'\(call)' is allowed and refused",
                    remedy: "keep one"))
        }
        var targets: Set<String> = []
        for (index, mount) in sandbox.mounts.enumerated() where !targets.insert(mount.target).inserted {
            found.append(
                PolicyContradiction(
                    keys: ["mounts[\(index)].target", "mounts"], problem: "'\(mount.target)' is a target twice",
                    remedy: "choose another"))
        }
        let absent: [(String, Bool)] = [
            ("disk", sandbox.limits.disk == nil), ("inodes", sandbox.limits.effectiveInodes == nil),
            ("processors", sandbox.limits.processors == nil), ("unwritten", sandbox.limits.unwritten == nil),
        ]
        for (name, isAbsent) in absent where isAbsent && sandbox.required.contains(name) {
            found.append(
                PolicyContradiction(
                    keys: ["require", "limits.\(name)"], problem: "'\(name)' is required and has no limit",
                    remedy: "write limits.\(name == "inodes" ? "disk" : name), or require less"))
        }
        return found
    }

    private func networkContradictions(trusted: Bool) -> [PolicyContradiction] {
        guard sandbox.network == .host else { return [] }
        var found: [PolicyContradiction] = []
        if !trusted {
            found.append(
                PolicyContradiction(
                    keys: ["network", "trusted"],
                    problem: "'host' gives every session all that the host reaches, its own loopback among it",
                    remedy: "write proxy, or confirm with 'trusted: true' on a box of one person"))
        }
        for part in sandbox.required.intersection(RequirementRules.parts).sorted() {
            found.append(
                PolicyContradiction(
                    keys: ["require", "network"], problem: "'\(part)' is required beside 'network: host'",
                    remedy: "a required isolation is worth nothing on the host's network: remove one of them"))
        }
        if bounds.permissionModes.contains(.bypassPermissions), claude.permissionMode != .bypassPermissions {
            found.append(
                PolicyContradiction(
                    keys: ["bounds.permission_modes", "network"],
                    problem: "a request could ask for bypassPermissions on the host's network",
                    remedy: "remove it from the bounds, or write it as permission_mode yourself"))
        }
        return found
    }

    /// Only the proxy asks the gateway.
    private var egressContradictions: [PolicyContradiction] {
        var found: [PolicyContradiction] = []
        if egress.mode != .none, sandbox.network != .proxy {
            found.append(
                PolicyContradiction(
                    keys: ["egress.mode", "network"],
                    problem:
                        "'\(egress.mode.rawValue)' holds for the proxy, and the network is '\(sandbox.network.rawValue)'",
                    remedy: "write 'network: proxy', or 'egress: {mode: none}'"))
        }
        for (index, secret) in egress.secrets.enumerated()
        where !egress.allows(secret.host, port: EgressSecret.port, method: nil) {
            found.append(
                PolicyContradiction(
                    keys: ["egress.secrets[\(index)].host", "egress.secrets", "egress.allow"],
                    problem: "'\(secret.host.text)' has a secret and is not let out to",
                    remedy: "add it to egress.allow"))
        }
        if egress.mode == .list, egress.allow.isEmpty {
            found.append(
                PolicyContradiction(
                    keys: ["egress.mode", "egress.allow"], problem: "'list' with nothing in the list",
                    remedy: "write hosts into egress.allow, or 'mode: none'"))
        }
        return found
    }

    private var claudeContradictions: [PolicyContradiction] {
        Set(claude.allowedTools).intersection(claude.deniedTools).sorted().map {
            PolicyContradiction(
                keys: ["allowed_tools", "denied_tools"], problem: "'\($0)' is allowed and denied", remedy: "keep one")
        }
    }

    /// A request may not be held to less than what it gets without asking.
    private var boundContradictions: [PolicyContradiction] {
        func over(_ key: String, _ own: TimeSpan?, _ bound: TimeSpan?) -> [PolicyContradiction] {
            guard let bound, own.map({ $0 > bound }) ?? true else { return [] }
            return [
                PolicyContradiction(
                    keys: ["bounds.\(key)", key],
                    problem: "\(bound) is less than the policy's own \(key), \(own?.description ?? "never")",
                    remedy: "raise the bound, or lower \(key)")
            ]
        }
        return over("idle_timeout", idle.timeout, bounds.idleTimeout)
            + over("max_lifetime", idle.maxLifetime, bounds.maxLifetime)
    }
}
