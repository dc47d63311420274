/// The keys of a policy's file: the one list that the parser, the hints and the test of the schema share. Every switch
/// over them is exhaustive, so a key that is listed is read.
enum PolicyKey: String, CaseIterable, Sendable {
    case version, extends, name, description
    case image, system, mounts, limits, require, seccomp, capabilities, devices, network, trusted
    case egress
    case environment
    case permissionMode = "permission_mode"
    case allowedTools = "allowed_tools"
    case deniedTools = "denied_tools"
    case model, channels
    case idleTimeout = "idle_timeout"
    case reapWarning = "reap_warning"
    case grace
    case maxLifetime = "max_lifetime"
    case freezeAfter = "freeze_after"
    case wakes
    case logBytes = "log_bytes"
    case requestBodies = "request_bodies"
    case journal
    case permissionAllow = "permission_allow"
    case permissionTimeout = "permission_timeout"
    case bounds, size, spares

    /// The keys below each key that has some, but for those of `environment`, which are the operator's own.
    static let nested: [PolicyKey: [String]] = [
        .limits: words(of: ResourceLimits.CodingKeys.self), .mounts: words(of: MountKey.self),
        .seccomp: words(of: SeccompKey.self), .egress: words(of: EgressPolicy.CodingKeys.self),
        .journal: words(of: JournalKey.self),
        .bounds: words(of: BoundsKey.self), .size: words(of: SizeKey.self), .spares: words(of: SparesKey.self),
    ]

    private static func words<Key: CaseIterable & RawRepresentable<String>>(of keys: Key.Type) -> [String] {
        keys.allCases.map(\.rawValue)
    }
}

enum EgressSecretKey: String, CaseIterable { case host, header, secret }
enum MountKey: String, CaseIterable { case source, target, access }
enum MountAccess: String, CaseIterable { case read, write }
enum SeccompKey: String, CaseIterable { case profile, allow, refuse }
enum JournalKey: String, CaseIterable { case bytes, age }
enum SizeKey: String, CaseIterable { case cols, rows }
enum SparesKey: String, CaseIterable { case count, age, linger }

enum BoundsKey: String, CaseIterable {
    case permissionModes = "permission_modes"
    case models, environment, images
    case idleTimeout = "idle_timeout"
    case maxLifetime = "max_lifetime"
}
