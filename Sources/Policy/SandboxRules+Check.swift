/// What is wrong with a part of a policy: the key as policies write it, what is wrong with its value, and what to do.
public struct SandboxRulesFault: Sendable, Hashable {
    public var key: String
    public var problem: String
    public var remedy: String
}

extension SandboxRules {
    /// The first value that no sandbox may be made of, whatever wrote it; nil when all are fine. Pure: it does not look
    /// whether an image, a directory or a device is there.
    public var fault: SandboxRulesFault? {
        let parts: [() -> SandboxRulesFault?] = [
            imageFault, mountFault, limitFault, requirementFault, callFault, capabilityFault, deviceFault,
        ]
        for part in parts { if let fault = part() { return fault } }
        return nil
    }

    private func imageFault() -> SandboxRulesFault? {
        guard !SessionPolicy.isName(image) else { return nil }
        return Self.fault("image", image, RuleProblem("is not an image's name", "use at most 64 of a-z, 0-9, '-', '_'"))
    }

    private func mountFault() -> SandboxRulesFault? {
        guard mounts.count <= MountRules.most else { return Self.tooMany("mounts", MountRules.most) }
        var targets: Set<String> = []
        for (index, mount) in mounts.enumerated() {
            let key = "mounts[\(index)]"
            if let problem = MountRules.problem(ofSource: mount.source) {
                return Self.fault("\(key).source", mount.source, problem)
            }
            if let problem = MountRules.problem(ofTarget: mount.target) {
                return Self.fault("\(key).target", mount.target, problem)
            }
            guard targets.insert(mount.target).inserted else {
                return Self.fault("\(key).target", mount.target, RuleProblem("is a target twice", "choose another"))
            }
        }
        return nil
    }

    private func limitFault() -> SandboxRulesFault? {
        limits.outOfBounds.map {
            Self.fault("limits.\($0.key)", $0.value, RuleProblem("is out of bounds", "allowed is \($0.allowed)"))
        }
    }

    private func requirementFault() -> SandboxRulesFault? {
        let unknown = required.subtracting(RequirementRules.known).min()
        return unknown.map {
            Self.fault("require", $0, RuleProblem("is nothing that can be required", "name a limit, or landlock"))
        }
    }

    private func callFault() -> SandboxRulesFault? {
        let lists: [(String, Set<String>, (String) -> RuleProblem?)] = [
            ("seccomp.allow", seccomp.allow, SystemCallRules.problem(ofAllowed:)),
            ("seccomp.refuse", seccomp.refuse, SystemCallRules.problem(ofRefused:)),
        ]
        for (key, calls, problem) in lists {
            guard calls.count <= SystemCallRules.most else { return Self.tooMany(key, SystemCallRules.most) }
            // In an order, so that the same request is always answered alike.
            for call in calls.sorted() {
                if let problem = problem(call) { return Self.fault(key, call, problem) }
            }
        }
        return seccomp.allow.intersection(seccomp.refuse).min().map {
            Self.fault("seccomp.allow", $0, RuleProblem("is allowed and refused", "keep one"))
        }
    }

    private func capabilityFault() -> SandboxRulesFault? {
        capabilities.subtracting(CapabilityRules.allowed).min().map {
            Self.fault("capabilities", $0, RuleProblem("is none that a session may have", "remove it"))
        }
    }

    private func deviceFault() -> SandboxRulesFault? {
        guard devices.count <= DeviceRules.most else { return Self.tooMany("devices", DeviceRules.most) }
        for device in devices {
            if let problem = DeviceRules.problem(of: device) { return Self.fault("devices", device, problem) }
        }
        guard Set(devices).count == devices.count else {
            return SandboxRulesFault(key: "devices", problem: "one is there twice", remedy: "keep one")
        }
        return nil
    }

    private static func fault(_ key: String, _ value: String, _ problem: RuleProblem) -> SandboxRulesFault {
        // What a stranger wrote is shown in part, on one line.
        let shown = String(
            String.UnicodeScalarView(
                value.unicodeScalars.prefix(100).map { $0.value < 0x20 || $0.value == 0x7f ? "?" : $0 })
        )
        return SandboxRulesFault(key: key, problem: "'\(shown)' \(problem.problem)", remedy: problem.remedy)
    }

    private static func tooMany(_ key: String, _ most: Int) -> SandboxRulesFault {
        SandboxRulesFault(key: key, problem: "there are over \(most)", remedy: "write at most \(most)")
    }
}
