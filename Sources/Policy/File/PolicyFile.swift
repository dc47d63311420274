import Yams

/// Reads one policy out of YAML: every key is known, every value checked, and all that is wrong is told at once.
struct PolicyFile {
    let path: String

    static let version = 1
    static let longestDescription = 500

    /// What a file may extend.
    typealias Parents = (_ name: String) throws(PolicyFamily.Refusal) -> PolicyReading

    func read(_ text: String, name: String, parents: Parents) -> PolicyReading {
        var reading = PolicyReading(path: path, name: name)
        reading.attempt { reading throws(FileFault) in
            // An empty file, or one of comments only, is the standard policy.
            guard let root = try PolicyText.root(of: text, path: path) else { return }
            let entries = try reading.entries(of: root, prefix: "", as: PolicyKey.self)
            if let (_, value) = entries.first(where: { $0.0 == .extends }) {
                reading.attempt { reading throws(FileFault) in try extend(value, &reading, parents) }
                for (key, value) in entries {
                    reading.places[key.rawValue] = PolicyReading.Place(file: path, line: value.line)
                }
            }
            for (key, value) in entries {
                reading.attempt { reading throws(FileFault) in try take(key, value, into: &reading) }
            }
            shrinkUnwritten(&reading)
            // What a wrong value leaves behind contradicts much.
            if reading.faults.isEmpty { reading.checkConsistency() }
        }
        return reading
    }

    private func extend(
        _ value: PolicyValue, _ reading: inout PolicyReading, _ parents: Parents
    ) throws(FileFault) {
        let name = try value.string()
        do throws(PolicyFamily.Refusal) {
            let faults = reading.faults
            reading = try parents(name).child(path: path, name: reading.policy.name)
            reading.faults = faults
        } catch {
            throw value.fault(error.problem, remedy: error.remedy)
        }
    }

    /// A default that is over what is written beside it gives way.
    private func shrinkUnwritten(_ reading: inout PolicyReading) {
        var policy = reading.policy
        if reading.places["limits.temporary"] == nil {
            policy.sandbox.limits.temporary = min(policy.sandbox.limits.temporary, policy.sandbox.limits.memory)
        }
        if reading.places["reap_warning"] == nil, let timeout = policy.idle.timeout {
            policy.idle.warning = min(policy.idle.warning, timeout)
        }
        reading.policy = policy
    }

    private func take(
        _ key: PolicyKey, _ value: PolicyValue, into reading: inout PolicyReading
    ) throws(FileFault) {
        switch key {
        case .extends: break
        case .version:
            guard try value.integer(in: 0...Int(Int32.max)) == Self.version else {
                throw value.fault("is not a version that is known here", remedy: "write 'version: \(Self.version)'")
            }
        case .name:
            guard try value.string() == reading.policy.name else {
                throw value.fault(
                    "is not the file's name",
                    remedy: "write 'name: \(reading.policy.name)', leave it out, or rename the file")
            }
        case .description:
            reading.policy.description = try value.text(
                most: Self.longestDescription, "a description",
                remedy: "write one line of at most \(Self.longestDescription) bytes")
        case .environment: try environment(value, &reading)
        case .permissionMode:
            reading.policy.claude.permissionMode = try value.word("a permission mode", of: PermissionMode.self)
        case .allowedTools: reading.policy.claude.allowedTools = try value.tools()
        case .deniedTools: reading.policy.claude.deniedTools = try value.tools()
        case .model:
            reading.policy.claude.model = try value.optional { value throws(FileFault) in try value.model() }
        case .channels: reading.policy.claude.channels = try value.truth()
        case .logBytes: reading.policy.logBytes = try value.size(in: PolicyBounds.logBytes)
        case .requestBodies:
            reading.policy.requestBodies = try value.optional("none") { value throws(FileFault) in
                try value.size(in: PolicyBounds.requestBodies)
            }
        case .journal: try journal(value, &reading)
        case .permissionAllow:
            reading.policy.permissions.allow = try value.distinct(most: ClaudeRules.mostTools) {
                value throws(FileFault) in
                try value.text(
                    most: ClaudeRules.longestTool, "a rule that can be judged here",
                    remedy: "write a tool's name, 'Bash(git log:*)', 'Edit(./src/**)' or 'WebFetch(domain:docs.rs)'; "
                        + "allowed_tools takes any rule of Claude Code's",
                    where: PermissionRules.isJudged)
            }
        case .permissionTimeout:
            reading.policy.permissions.timeout = try value.optional("never") { value throws(FileFault) in
                try value.span(in: PolicyBounds.permissionTimeout)
            }
        case .size: try size(value, &reading)
        case .spares: try spares(value, &reading)
        case .egress: try egress(value, &reading)
        case .bounds: try bounds(value, &reading)
        case .idleTimeout, .reapWarning, .grace, .maxLifetime, .freezeAfter, .wakes: try idle(key, value, &reading)
        case .image, .system, .mounts, .limits, .require, .seccomp, .capabilities, .devices, .network, .trusted:
            try sandbox(key, value, &reading)
        }
    }

    private func environment(_ value: PolicyValue, _ reading: inout PolicyReading) throws(FileFault) {
        for value in try reading.members(of: value.node, prefix: "environment.") {
            reading.attempt { reading throws(FileFault) in
                let name = String(value.key.dropFirst("environment.".count))
                guard !EnvironmentRules.reserved.contains(name) else {
                    throw value.fault("is set by the supervisor", remedy: "remove it")
                }
                reading.policy.environment[name] = try value.scalarText()
            }
        }
        if let problem = EnvironmentRules.problem(in: reading.policy.environment) {
            throw value.fault(PolicyValue.shown(problem), remedy: "correct or remove it")
        }
    }
}
