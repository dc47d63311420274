import Yams

/// A policy in the shape of its file, with every key written: for `rookery policy show`, the API, and to be read again.
public indirect enum PolicyTree: Sendable, Hashable {
    case text(String)
    case number(Int)
    case truth(Bool)
    case list([PolicyTree])
    /// In order.
    case map([Member])

    public struct Member: Sendable, Hashable {
        public var key: String
        public var value: PolicyTree
    }

    /// What is shown to whom.
    public struct Scope: Sendable, Hashable {
        /// Where on the host a mount comes from.
        public var hostPaths: Bool
        /// The values of the environment.
        public var environment: Bool

        public init(hostPaths: Bool, environment: Bool) {
            self.hostPaths = hostPaths
            self.environment = environment
        }

        public static let all = Scope(hostPaths: true, environment: true)
    }

    public init(_ policy: SessionPolicy, scope: Scope = .all) {
        let sandbox = policy.sandbox
        var members: [(PolicyKey, PolicyTree?)] = [
            (.version, .number(PolicyFile.version)), (.name, .text(policy.name)),
            (.description, policy.description.isEmpty ? nil : .text(policy.description)),
            (.image, .text(sandbox.image)), (.system, .text(sandbox.system.rawValue)),
            (.mounts, .list(sandbox.mounts.map { Self.mount($0, scope) })),
            (.limits, Self.limits(sandbox.limits)), (.require, Self.set(sandbox.required)),
            (
                .seccomp,
                Self.map([
                    (SeccompKey.profile, .text(sandbox.seccomp.profile.rawValue)),
                    (.allow, Self.set(sandbox.seccomp.allow)), (.refuse, Self.set(sandbox.seccomp.refuse)),
                ])
            ), (.capabilities, Self.set(sandbox.capabilities)), (.devices, Self.texts(sandbox.devices)),
            (.network, .text(sandbox.network.rawValue)),
            // The word that the file must have had.
            (.trusted, sandbox.network == .host ? .truth(true) : nil), (.egress, Self.egress(policy.egress)),
        ]
        let environment = policy.environment.sorted { $0.key < $1.key }
        members += [
            (
                .environment,
                scope.environment ? .map(environment.map { Member(key: $0.key, value: .text($0.value)) }) : nil
            ), (.permissionMode, .text(policy.claude.permissionMode.rawValue)),
            (.allowedTools, Self.texts(policy.claude.allowedTools)),
            (.deniedTools, Self.texts(policy.claude.deniedTools)), (.model, policy.claude.model.map { .text($0) }),
            (.channels, .truth(policy.claude.channels)),
            (.idleTimeout, Self.optional(policy.idle.timeout, "never")),
            (.reapWarning, .text("\(policy.idle.warning)")), (.grace, .text("\(policy.idle.grace)")),
            (.maxLifetime, Self.optional(policy.idle.maxLifetime, "never")),
            (.freezeAfter, Self.optional(policy.idle.freezeAfter, "never")),
            (.wakes, Self.set(Set(policy.idle.wakes.map(\.rawValue)))), (.logBytes, .text("\(policy.logBytes)")),
            (.requestBodies, Self.optional(policy.requestBodies, "none")),
            (
                .journal,
                Self.map([
                    (JournalKey.bytes, .text("\(policy.journal.bytes)")),
                    (.age, Self.optional(policy.journal.age, "none")),
                ])
            ), (.permissionAllow, Self.texts(policy.permissions.allow)),
            (.permissionTimeout, Self.optional(policy.permissions.timeout, "never")),
            (.bounds, Self.bounds(policy.bounds)),
            (.size, Self.map([(SizeKey.cols, .number(policy.size.cols)), (.rows, .number(policy.size.rows))])),
            (
                .spares,
                Self.map([
                    (SparesKey.count, .number(policy.spares.count)), (.age, .text("\(policy.spares.age)")),
                    (.linger, .text("\(policy.spares.linger)")),
                ])
            ),
        ]
        self = Self.map(members)
    }

    /// As the text of a policy's file.
    public var yaml: String { (try? Yams.serialize(node: node, width: 120, allowUnicode: true)) ?? "" }

    private var node: Node {
        switch self {
        case .text(let text): Node.scalar(text.represented())
        case .number(let number): Node(String(number), Tag(.int))
        case .truth(let truth): Node(truth ? "true" : "false", Tag(.bool))
        case .list(let elements): .sequence(Node.Sequence(elements.map(\.node)))
        case .map(let members):
            .mapping(Node.Mapping(members.map { (Node.scalar($0.key.represented()), $0.value.node) }))
        }
    }
}

extension PolicyTree: Encodable {
    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .text(let text):
            var container = encoder.singleValueContainer()
            try container.encode(text)
        case .number(let number):
            var container = encoder.singleValueContainer()
            try container.encode(number)
        case .truth(let truth):
            var container = encoder.singleValueContainer()
            try container.encode(truth)
        case .list(let elements):
            var container = encoder.unkeyedContainer()
            for element in elements { try container.encode(element) }
        case .map(let members):
            var container = encoder.container(keyedBy: Key.self)
            for member in members { try container.encode(member.value, forKey: Key(stringValue: member.key)) }
        }
    }
}

extension PolicyTree {
    /// Members without those that have no value.
    private static func map<Key: RawRepresentable<String>>(_ members: [(Key, PolicyTree?)]) -> PolicyTree {
        .map(members.compactMap { key, value in value.map { Member(key: key.rawValue, value: $0) } })
    }

    private static func texts(_ texts: [String]) -> PolicyTree { .list(texts.map { .text($0) }) }
    private static func set(_ texts: Set<String>) -> PolicyTree { Self.texts(texts.sorted()) }

    private static func optional(_ value: (some CustomStringConvertible)?, _ word: String) -> PolicyTree {
        .text(value?.description ?? word)
    }

    private static func mount(_ mount: PolicyMount, _ scope: Scope) -> PolicyTree {
        map([
            (MountKey.source, scope.hostPaths ? .text(mount.source) : nil), (.target, .text(mount.target)),
            (.access, .text((mount.writable ? MountAccess.write : .read).rawValue)),
        ])
    }

    private static func limits(_ limits: ResourceLimits) -> PolicyTree {
        map(
            ResourceLimits.CodingKeys.allCases.map { key in
                let value: PolicyTree =
                    switch key {
                    case .memory: .text("\(limits.memory)")
                    case .memoryHigh: optional(limits.memoryHigh, "none")
                    case .swap: .text("\(limits.swap)")
                    case .cpuPercent: .number(limits.cpuPercent)
                    case .cpuWeight: .number(limits.cpuWeight)
                    case .processors: processors(limits.processors)
                    case .pids: .number(limits.pids)
                    case .openFiles: .number(limits.openFiles)
                    case .fileSize: optional(limits.fileSize, "none")
                    case .temporary: .text("\(limits.temporary)")
                    case .sharedMemory: optional(limits.sharedMemory, "none")
                    case .disk: optional(limits.disk, "none")
                    case .inodes: limits.inodes.map { .number($0) } ?? .text("none")
                    case .unwritten: optional(limits.unwritten, "none")
                    case .ioWeight: .number(limits.ioWeight)
                    }
                return (key, value)
            })
    }

    private static func processors(_ count: ProcessorCount?) -> PolicyTree {
        count?.number.map { .number($0) } ?? optional(count, ProcessorCount.all)
    }

    private static func egress(_ egress: EgressPolicy) -> PolicyTree {
        map(
            EgressPolicy.CodingKeys.allCases.map { key in
                let value: PolicyTree =
                    switch key {
                    case .mode: .text(egress.mode.rawValue)
                    case .allow: texts(egress.allow.map(\.text))
                    case .connections: .number(egress.connections)
                    case .bandwidth: optional(egress.bandwidth, "none")
                    case .daily: optional(egress.daily, "none")
                    case .tenantConnections: .number(egress.tenantConnections)
                    case .tenantBandwidth: optional(egress.tenantBandwidth, "none")
                    case .tenantDaily: optional(egress.tenantDaily, "none")
                    case .secrets:
                        .list(
                            egress.secrets.map {
                                map([
                                    (EgressSecretKey.host, .text($0.host.text)), (.header, .text($0.header)),
                                    (.secret, .text($0.secret)),
                                ])
                            })
                    }
                return (key, value)
            })
    }

    private static func bounds(_ bounds: RequestBounds) -> PolicyTree {
        map([
            (BoundsKey.permissionModes, set(Set(bounds.permissionModes.map(\.rawValue)))),
            (.models, bounds.models.map(texts) ?? .text("any")), (.environment, .truth(bounds.environment)),
            (.images, texts(bounds.images)), (.idleTimeout, optional(bounds.idleTimeout, "any")),
            (.maxLifetime, bounds.maxLifetime.map { .text("\($0)") }),
        ])
    }
}
