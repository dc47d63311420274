/// What a user's own request may change of a policy, and how far. What is not named may not be changed.
public struct RequestBounds: Codable, Sendable, Hashable {
    /// The permission modes a request may ask for beside the policy's own.
    public var permissionModes: Set<PermissionMode>
    /// The models a request may ask for; nil: any.
    public var models: [String]?
    /// Whether a request may set variables of the environment.
    public var environment: Bool
    /// The images a request may ask for beside the policy's own.
    public var images: [String]
    /// The longest idle time a request may ask for; nil: any.
    public var idleTimeout: TimeSpan?
    /// The longest life of an incarnation a request may ask for; nil: the policy's own.
    public var maxLifetime: TimeSpan?

    /// Models, and images, that can be named.
    public static let mostNames = 64

    public init(
        permissionModes: Set<PermissionMode> = [.standard, .acceptEdits, .plan, .auto, .dontAsk],
        models: [String]? = nil, environment: Bool = true, images: [String] = [], idleTimeout: TimeSpan? = nil,
        maxLifetime: TimeSpan? = nil
    ) {
        self.permissionModes = permissionModes
        self.models = models
        self.environment = environment
        self.images = images
        self.idleTimeout = idleTimeout
        self.maxLifetime = maxLifetime
    }

    enum CodingKeys: String, CodingKey {
        case permissionModes = "permission_modes"
        case models, environment, images
        case idleTimeout = "idle_timeout"
        case maxLifetime = "max_lifetime"
    }
}

/// What a request may ask for: the policy's own value always, another within the bounds.
extension SessionPolicy {
    public func allows(_ mode: PermissionMode) -> Bool {
        mode == claude.permissionMode || bounds.permissionModes.contains(mode)
    }

    public func allows(model: String) -> Bool {
        model == claude.model || bounds.models?.contains(model) ?? true
    }

    public func allows(image: String) -> Bool { image == sandbox.image || bounds.images.contains(image) }

    /// The longest idle time that a request may ask for.
    public var longestIdleTimeout: TimeSpan { bounds.idleTimeout ?? PolicyBounds.idleTimeout.upperBound }

    /// The longest life of an incarnation that a request may ask for.
    public var longestLifetime: TimeSpan {
        bounds.maxLifetime ?? idle.maxLifetime ?? PolicyBounds.maxLifetime.upperBound
    }

    /// The permission modes that can be asked for.
    public var allowedPermissionModes: [PermissionMode] { PermissionMode.allCases.filter(allows) }
}
