import Foundation
import Policy
import Registry
import SessionCore
import Supervisor
import WorkerControl

/// A session as the API shows it. Absent values are `null`, so that the shape never changes.
struct SessionDocument: Encodable, Sendable {
    var view: SessionView

    init(_ view: SessionView) { self.view = view }

    enum CodingKeys: String, CodingKey {
        case id, name, kind, tenant, owner, lifecycle, activity, flags, reason, detail, incarnation, policy, image
        case size, labels, pinned, model, permissionMode, idleTimeout, maxLifetime, egress, limits
        case createdAt, startedAt, lastActivityAt, deadlines, clients, journal, forkedFrom
    }

    func encode(to encoder: any Encoder) throws {
        let record = view.record
        let running = record.lifecycle == .running
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(record.id, forKey: .id)
        try container.encode(record.name, forKey: .name)
        try container.encode(record.kind, forKey: .kind)
        try container.encode(record.tenant, forKey: .tenant)
        try container.encode(record.owner, forKey: .owner)
        try container.encode(record.lifecycle, forKey: .lifecycle)
        try container.encode(running ? view.worker?.activity : nil, forKey: .activity)
        try container.encode(flags, forKey: .flags)
        try container.encode(record.reason, forKey: .reason)
        try container.encode(record.detail, forKey: .detail)
        try container.encode(record.incarnation, forKey: .incarnation)
        try container.encode(record.policy, forKey: .policy)
        try container.encode(record.image, forKey: .image)
        try container.encode(view.worker?.size ?? record.size, forKey: .size)
        try container.encode(record.labels, forKey: .labels)
        try container.encode(record.pinned, forKey: .pinned)
        try container.encode(record.model, forKey: .model)
        try container.encode(record.permissionMode, forKey: .permissionMode)
        try container.encode(record.idleTimeout, forKey: .idleTimeout)
        try container.encode(record.maxLifetime, forKey: .maxLifetime)
        try container.encode(record.egress, forKey: .egress)
        try container.encode(record.limits, forKey: .limits)
        try container.encode(record.createdAt, forKey: .createdAt)
        try container.encode(record.startedAt, forKey: .startedAt)
        try container.encode(record.lastActivityAt, forKey: .lastActivityAt)
        try container.encode(DeadlinesDocument(parksAt: view.parksAt, endsAt: endsAt), forKey: .deadlines)
        try container.encode((view.worker?.clients ?? []).map(ClientDocument.init), forKey: .clients)
        try container.encode(view.worker?.journal, forKey: .journal)
        try container.encode(record.forkedFrom, forKey: .forkedFrom)
    }

    private var flags: [String] {
        var flags: [String] = []
        if view.worker?.clients.isEmpty == false { flags.append("attached") }
        if view.record.pinned { flags.append("pinned") }
        if view.worker?.frozenSince != nil { flags.append("frozen") }
        if view.unresponsive { flags.append("unresponsive") }
        if view.draining { flags.append("draining") }
        return flags
    }

    /// When the running incarnation reaches its longest life.
    private var endsAt: Date? {
        guard view.record.lifecycle == .running, let start = view.record.startedAt,
            let longest = view.record.maxLifetime
        else { return nil }
        return start.addingTimeInterval(longest.seconds)
    }
}

/// When something happens to a session if nobody does anything; `null` where nothing will.
struct DeadlinesDocument: Encodable, Sendable {
    var parksAt: Date?
    var endsAt: Date?

    enum CodingKeys: String, CodingKey {
        case parksAt, endsAt
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(parksAt, forKey: .parksAt)
        try container.encode(endsAt, forKey: .endsAt)
    }
}

/// One attached client.
struct ClientDocument: Encodable, Sendable {
    var id: Int
    var dialect: String
    var principal: String
    var driving: Bool
    var since: Date

    init(_ client: AttachedClient) {
        id = client.id
        dialect = client.dialect
        principal = client.principal
        driving = client.driving
        since = client.since
    }
}

/// One page of a list.
struct PageDocument<Item: Encodable & Sendable>: Encodable, Sendable {
    var items: [Item]
    var nextCursor: String?

    enum CodingKeys: String, CodingKey {
        case items, nextCursor
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(items, forKey: .items)
        try container.encode(nextCursor, forKey: .nextCursor)
    }
}

/// A page of a session's events from some event backwards, oldest first.
struct HistoryDocument: Encodable, Sendable {
    var items: [SessionEvent]
    /// What to ask for next; nil: there is nothing before these.
    var before: UInt64?

    enum CodingKeys: String, CodingKey {
        case items, before
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(items, forKey: .items)
        try container.encode(before, forKey: .before)
    }
}
