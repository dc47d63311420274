public import Foundation
public import Policy
public import SessionCore

/// What its owner wants of a session; the observed state is ``SessionRecord/lifecycle``.
public enum DesiredState: String, Codable, Sendable, Hashable {
    case running, parked, stopped, deleted
}

/// One session as the registry holds it.
public struct SessionRecord: Codable, Sendable, Hashable {
    public var id: SessionID
    public var tenantID: Int64
    public var tenant: String
    public var ownerID: Int64
    public var owner: String
    public var name: String?
    public var kind: SessionKind
    public var lifecycle: Lifecycle
    public var desired: DesiredState
    public var reason: Reason?
    /// More on the reason, for a person.
    public var detail: String?
    public var incarnation: Int
    /// Index of the session's host uid range; never shared by two sessions that exist.
    public var uidSlot: Int
    public var policy: String
    public var image: String
    public var size: TerminalSize
    public var model: String?
    public var permissionMode: String?
    /// The caller's own environment additions.
    public var environment: [String: String]
    public var labels: [String: String]
    public var pinned: Bool
    /// nil: the policy's.
    public var idleTimeout: TimeSpan?
    public var maxLifetime: TimeSpan?
    public var createdAt: Date
    public var updatedAt: Date
    public var startedAt: Date?
    public var lastActivityAt: Date
    /// The highest sequence number the registry knows to be used.
    public var lastSequence: UInt64
    public var workerPID: Int32?
    public var workerStartTime: UInt64?
    public var limits: [EnforcedLimit]
    public var cgroups: [String: String]
    /// Its deletion leaves the workspace's files. Part of the intent, like ``desired``.
    public var keepsWorkspace = false
    /// What it may reach at most, of what its policy lets out; nil: all of that.
    public var egress: [EgressTarget]?
    /// How often the record was changed. Tells which of two copies is the newer, whatever the clocks say.
    public var revision = 0

    enum CodingKeys: String, CodingKey, CaseIterable {
        case id, tenantID, tenant, ownerID, owner, name, kind, lifecycle, desired, reason, detail, incarnation, uidSlot
        case policy, image, size, model, permissionMode, environment, labels, pinned, idleTimeout, maxLifetime
        case createdAt, updatedAt, startedAt, lastActivityAt, lastSequence, workerPID, workerStartTime, limits, cgroups
        case keepsWorkspace, egress, revision
    }

    public init(
        id: SessionID, tenantID: Int64, tenant: String, ownerID: Int64, owner: String, name: String?,
        kind: SessionKind, lifecycle: Lifecycle, desired: DesiredState, reason: Reason?, detail: String?,
        incarnation: Int, uidSlot: Int, policy: String, image: String, size: TerminalSize, model: String?,
        permissionMode: String?, environment: [String: String], labels: [String: String], pinned: Bool,
        idleTimeout: TimeSpan?, maxLifetime: TimeSpan?, createdAt: Date, updatedAt: Date, startedAt: Date?,
        lastActivityAt: Date, lastSequence: UInt64, workerPID: Int32?, workerStartTime: UInt64?,
        limits: [EnforcedLimit], cgroups: [String: String]
    ) {
        self.id = id
        self.tenantID = tenantID
        self.tenant = tenant
        self.ownerID = ownerID
        self.owner = owner
        self.name = name
        self.kind = kind
        self.lifecycle = lifecycle
        self.desired = desired
        self.reason = reason
        self.detail = detail
        self.incarnation = incarnation
        self.uidSlot = uidSlot
        self.policy = policy
        self.image = image
        self.size = size
        self.model = model
        self.permissionMode = permissionMode
        self.environment = environment
        self.labels = labels
        self.pinned = pinned
        self.idleTimeout = idleTimeout
        self.maxLifetime = maxLifetime
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.startedAt = startedAt
        self.lastActivityAt = lastActivityAt
        self.lastSequence = lastSequence
        self.workerPID = workerPID
        self.workerStartTime = workerStartTime
        self.limits = limits
        self.cgroups = cgroups
    }
}
