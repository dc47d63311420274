import Yams

/// Reads one policy out of YAML. Every key is known, every value checked; the first fault is thrown.
struct PolicyFile {
    let path: String

    /// The keys of a policy's file, for the remedy of an unknown one.
    static let keys = [
        "name", "image", "limits", "permission_mode", "model", "environment", "idle_timeout", "reap_warning", "grace",
        "max_lifetime", "log_bytes", "size",
    ]
    static let limitKeys = ["memory", "cpu_percent", "pids", "open_files", "temporary"]

    /// `name` is the file's name without its ending: what the policy is called.
    func parse(_ text: String, name: String) throws(PolicyError) -> SessionPolicy {
        var policy = SessionPolicy(name: name)
        // An empty file, or one of comments only, is the standard policy.
        guard let root = try compose(text) else { return policy }
        let top = try mapping(root, key: nil)
        for (key, node) in try entries(top, prefix: "", known: Self.keys) {
            let value = PolicyValue(path: path, key: key, node: node)
            switch key {
            case "name":
                guard try value.string() == name else {
                    throw value.fault(
                        "is not the file's name", remedy: "write 'name: \(name)', leave it out, or rename the file")
                }
            case "image":
                policy.sandbox.image = try value.string()
                guard policy.sandbox.image == SessionPolicy.hostImage else {
                    throw value.fault(
                        "'\(policy.sandbox.image.prefix(64))' is not an image",
                        remedy: "write '\(SessionPolicy.hostImage)'")
                }
            case "limits": policy.sandbox.limits = try limits(node)
            case "permission_mode":
                guard let mode = PermissionMode(rawValue: try value.string()) else {
                    throw value.fault(
                        "is not a permission mode",
                        remedy: "use one of \(PermissionMode.allCases.map(\.rawValue).joined(separator: ", "))")
                }
                policy.claude.permissionMode = mode
            case "model":
                policy.claude.model = try value.optional { value throws(PolicyError) in try value.model() }
            case "environment": policy.environment = try environment(node)
            case "idle_timeout":
                policy.idle.timeout = try value.optional { value throws(PolicyError) in
                    try value.span(in: PolicyBounds.idleTimeout)
                }
            case "reap_warning": policy.idle.warning = try value.span(in: PolicyBounds.reapWarning)
            case "grace": policy.idle.grace = try value.span(in: PolicyBounds.grace)
            case "max_lifetime":
                policy.idle.maxLifetime = try value.optional { value throws(PolicyError) in
                    try value.span(in: PolicyBounds.maxLifetime)
                }
            case "log_bytes": policy.logBytes = try value.size(in: PolicyBounds.logBytes)
            default: policy.size = try size(node)
            }
        }
        return policy
    }

    private func limits(_ node: Node) throws(PolicyError) -> ResourceLimits {
        var limits = ResourceLimits.standard
        var temporaryIsWritten = false
        for (key, node) in try entries(try mapping(node, key: "limits"), prefix: "limits.", known: Self.limitKeys) {
            let value = PolicyValue(path: path, key: "limits.\(key)", node: node)
            switch key {
            case "memory": limits.memory = try value.size(in: PolicyBounds.memory)
            case "cpu_percent": limits.cpuPercent = try value.integer(in: PolicyBounds.cpuPercent)
            case "pids": limits.pids = try value.integer(in: PolicyBounds.pids)
            case "open_files": limits.openFiles = try value.integer(in: PolicyBounds.openFiles)
            default:
                limits.temporary = try value.size(in: PolicyBounds.temporary)
                temporaryIsWritten = true
            }
        }
        if !temporaryIsWritten { limits.temporary = min(limits.temporary, limits.memory) }
        if let fault = limits.outOfBounds {
            throw PolicyError(
                file: path, line: node.mark?.line, key: "limits.\(fault.key)",
                problem: "\(fault.value) is out of bounds",
                remedy: "allowed is \(fault.allowed)")
        }
        return limits
    }

    private func size(_ node: Node) throws(PolicyError) -> InitialSize {
        var size = InitialSize.standard
        for (key, node) in try entries(try mapping(node, key: "size"), prefix: "size.", known: ["cols", "rows"]) {
            let value = PolicyValue(path: path, key: "size.\(key)", node: node)
            if key == "cols" {
                size.cols = try value.integer(in: PolicyBounds.cols)
            } else {
                size.rows = try value.integer(in: PolicyBounds.rows)
            }
        }
        return size
    }

    private func environment(_ node: Node) throws(PolicyError) -> [String: String] {
        var environment: [String: String] = [:]
        for (key, node) in try entries(try mapping(node, key: "environment"), prefix: "environment.", known: nil) {
            let value = PolicyValue(path: path, key: "environment.\(key)", node: node)
            guard !EnvironmentRules.reserved.contains(key) else {
                throw value.fault("is set by the supervisor", remedy: "remove it")
            }
            environment[key] = try value.scalarText()
        }
        if let problem = EnvironmentRules.problem(in: environment) {
            throw PolicyError(
                file: path, line: node.mark?.line, key: "environment", problem: problem, remedy: "correct or remove it")
        }
        return environment
    }

    private func compose(_ text: String) throws(PolicyError) -> Node? {
        do {
            return try Yams.compose(yaml: text)
        } catch {
            let first = "\(error)".split(separator: "\n").map(String.init)
            throw PolicyError(
                file: path, problem: "is not YAML: \(first.joined(separator: " ").prefix(300))",
                remedy: "correct the file; keys are \(Self.keys.joined(separator: ", "))")
        }
    }

    private func mapping(_ node: Node, key: String?) throws(PolicyError) -> Node.Mapping {
        guard case .mapping(let mapping) = node else {
            throw PolicyError(
                file: path, line: node.mark?.line, key: key, problem: "is not a mapping",
                remedy: "write lines of 'key: value'")
        }
        return mapping
    }

    private func entries(
        _ mapping: Node.Mapping, prefix: String, known: [String]?
    ) throws(PolicyError) -> [(String, Node)] {
        var entries: [(String, Node)] = []
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                throw PolicyError(
                    file: path, line: key.mark?.line, problem: "a key is not a word", remedy: "write 'key: value'")
            }
            if let known, !known.contains(scalar.string) {
                throw PolicyError(
                    file: path, line: key.mark?.line, key: prefix + scalar.string.prefix(64), problem: "unknown key",
                    remedy: "keys here are \(known.joined(separator: ", "))")
            }
            entries.append((scalar.string, value))
        }
        return entries
    }
}
