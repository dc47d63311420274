import Yams

/// What the launcher carries out.
extension PolicyFile {
    func sandbox(
        _ key: PolicyKey, _ value: PolicyValue, _ reading: inout PolicyReading
    ) throws(FileFault) {
        switch key {
        case .image: reading.policy.sandbox.image = try value.image()
        case .system: reading.policy.sandbox.system = try value.word("an access to the system", of: SystemAccess.self)
        case .mounts: reading.policy.sandbox.mounts = try mounts(value, &reading)
        case .limits: try limits(value, &reading)
        case .require: reading.policy.sandbox.required = try required(value)
        case .seccomp: try seccomp(value, &reading)
        case .capabilities: reading.policy.sandbox.capabilities = try capabilities(value)
        case .devices: reading.policy.sandbox.devices = try devices(value)
        case .network: reading.policy.sandbox.network = try value.word("a network", of: NetworkAccess.self)
        default: reading.trusted = try value.truth()
        }
    }

    private func limits(_ value: PolicyValue, _ reading: inout PolicyReading) throws(FileFault) {
        let entries = try reading.entries(of: value.node, prefix: "limits.", as: ResourceLimits.CodingKeys.self)
        for (key, value) in entries {
            reading.attempt { reading throws(FileFault) in
                try limit(key, value, &reading.policy.sandbox.limits)
            }
        }
    }

    private func limit(
        _ key: ResourceLimits.CodingKeys, _ value: PolicyValue, _ limits: inout ResourceLimits
    ) throws(FileFault) {
        func size(_ range: ClosedRange<ByteSize>) throws(FileFault) -> ByteSize? {
            try value.optional("none") { value throws(FileFault) in try value.size(in: range) }
        }
        switch key {
        case .memory: limits.memory = try value.size(in: PolicyBounds.memory)
        case .memoryHigh: limits.memoryHigh = try size(PolicyBounds.memoryHigh)
        case .swap: limits.swap = try size(PolicyBounds.swap) ?? ByteSize(bytes: 0)
        case .cpuPercent: limits.cpuPercent = try value.integer(in: PolicyBounds.cpuPercent)
        case .cpuWeight: limits.cpuWeight = try value.integer(in: PolicyBounds.weight)
        case .processors:
            limits.processors = try value.optional(ProcessorCount.all) { value throws(FileFault) in
                try value.processors()
            }
        case .pids: limits.pids = try value.integer(in: PolicyBounds.pids)
        case .openFiles: limits.openFiles = try value.integer(in: PolicyBounds.openFiles)
        case .fileSize: limits.fileSize = try size(PolicyBounds.fileSize)
        case .temporary: limits.temporary = try value.size(in: PolicyBounds.temporary)
        case .sharedMemory: limits.sharedMemory = try size(PolicyBounds.sharedMemory)
        case .disk: limits.disk = try size(PolicyBounds.disk)
        case .inodes:
            limits.inodes = try value.optional("none") { value throws(FileFault) in
                try value.integer(in: PolicyBounds.inodes)
            }
        case .unwritten: limits.unwritten = try size(PolicyBounds.unwritten)
        case .ioWeight: limits.ioWeight = try value.integer(in: PolicyBounds.weight)
        }
    }

    private func mounts(_ value: PolicyValue, _ reading: inout PolicyReading) throws(FileFault) -> [PolicyMount] {
        var mounts: [PolicyMount] = []
        for element in try value.list(most: MountRules.most) {
            var source: String?
            var target: String?
            var access = MountAccess.read
            for (key, value) in try reading.entries(of: element.node, prefix: "\(element.key).", as: MountKey.self) {
                switch key {
                case .source: source = try value.path { MountRules.problem(ofSource: $0) }
                case .target: target = try value.path { MountRules.problem(ofTarget: $0) }
                case .access: access = try value.word("an access", of: MountAccess.self)
                }
            }
            guard let source, let target else {
                throw element.fault(
                    "has no \(source == nil ? "source" : "target")",
                    remedy: "write both: {source: /srv/data, target: /data, access: read}")
            }
            mounts.append(PolicyMount(source: source, target: target, writable: access == .write))
        }
        return mounts
    }

    private func required(_ value: PolicyValue) throws(FileFault) -> Set<String> {
        try value.names(most: 64, "something that can be required", among: RequirementRules.known.sorted())
    }

    private func seccomp(_ value: PolicyValue, _ reading: inout PolicyReading) throws(FileFault) {
        for (key, value) in try reading.entries(of: value.node, prefix: "seccomp.", as: SeccompKey.self) {
            reading.attempt { reading throws(FileFault) in
                switch key {
                case .profile:
                    reading.policy.sandbox.seccomp.profile = try value.word(
                        "a seccomp profile", of: SeccompRules.Profile.self)
                case .allow:
                    reading.policy.sandbox.seccomp.allow = try value.calls { SystemCallRules.problem(ofAllowed: $0) }
                case .refuse:
                    reading.policy.sandbox.seccomp.refuse = try value.calls { SystemCallRules.problem(ofRefused: $0) }
                }
            }
        }
    }

    private func capabilities(_ value: PolicyValue) throws(FileFault) -> Set<String> {
        try value.names(most: 64, "a capability that a session may have", among: CapabilityRules.allowed.sorted())
    }

    private func devices(_ value: PolicyValue) throws(FileFault) -> [String] {
        var devices: [String] = []
        for value in try value.list(most: DeviceRules.most) {
            let device = try value.path { DeviceRules.problem(of: $0) }
            guard !devices.contains(device) else { throw value.fault("is there twice", remedy: "keep one") }
            devices.append(device)
        }
        return devices
    }
}

extension PolicyValue {
    func image() throws(FileFault) -> String {
        let name = try string()
        guard SessionPolicy.isName(name) else {
            throw fault(
                "'\(Self.shown(name))' is not an image's name",
                remedy: "write '\(SessionPolicy.hostImage)', or the name of a built image: a-z, 0-9, '-' and '_'")
        }
        return name
    }

    fileprivate func path(_ problem: (String) -> RuleProblem?) throws(FileFault) -> String {
        let text = try string()
        if let problem = problem(text) {
            throw fault("'\(Self.shown(text))' \(problem.problem)", remedy: problem.remedy)
        }
        return text
    }

    fileprivate func names(most: Int, _ what: String, among known: [String]) throws(FileFault) -> Set<String> {
        var names: Set<String> = []
        for value in try list(most: most) {
            let name = try value.string()
            guard known.contains(name) else {
                let hint = NearestWord.of(name, among: known).map { "did you mean '\($0)'? " } ?? ""
                throw value.fault(
                    "'\(Self.shown(name))' is not \(what)", remedy: "\(hint)use \(known.joined(separator: ", "))")
            }
            guard names.insert(name).inserted else { throw value.fault("is there twice", remedy: "keep one") }
        }
        return names
    }

    fileprivate func calls(_ problem: (String) -> RuleProblem?) throws(FileFault) -> Set<String> {
        var calls: Set<String> = []
        for value in try list(most: SystemCallRules.most) {
            let call = try value.string()
            if let problem = problem(call) {
                throw value.fault("'\(Self.shown(call))' \(problem.problem)", remedy: problem.remedy)
            }
            guard calls.insert(call).inserted else { throw value.fault("is there twice", remedy: "keep one") }
        }
        return calls
    }
}
