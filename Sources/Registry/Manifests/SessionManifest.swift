import Foundation
import Policy
import SessionCore

/// A session's record outside the registry. What a later version wrote and this one does not know is kept.
public struct SessionManifest: Sendable, Hashable {
    public var record: SessionRecord
    /// Members of the file that are not a record's.
    var unknown: [String: JSONValue]

    /// Its deletion was asked for, and maybe done: it never comes back.
    public var isTombstone: Bool { record.desired == .deleted || record.lifecycle == .deleted }

    init(_ record: SessionRecord, keeping unknown: [String: JSONValue] = [:]) {
        self.record = record
        self.unknown = unknown
        // What is gone keeps no secrets.
        if record.lifecycle == .deleted { self.record.environment = [:] }
    }

    /// A session cannot be brought back without these.
    private static let required = [
        "id", "tenant", "owner", "lifecycle", "desired", "incarnation", "uidSlot", "createdAt",
    ]

    /// Reads a manifest; members that are not there, since an earlier version wrote it, have their default.
    /// - Throws: a text that says what is wrong.
    init(parsing data: Data) throws(ManifestFault) {
        guard case .object(let members) = try? JSONDecoder().decode(JSONValue.self, from: data) else {
            throw ManifestFault("it is not a JSON object")
        }
        if let missing = Self.required.first(where: { members[$0] == nil }) {
            throw ManifestFault("it has no '\(missing)'")
        }
        let known = Set(SessionRecord.CodingKeys.allCases.map(\.rawValue))
        do {
            let complete = try Self.defaults(like: members).merging(members) { $1 }
            let record = try JSONDecoder.rookery.decode(
                SessionRecord.self, from: JSONEncoder().encode(JSONValue.object(complete)))
            self.init(record, keeping: members.filter { !known.contains($0.key) })
        } catch {
            throw ManifestFault("it cannot be read: \(error)")
        }
    }

    /// The file's content.
    func encoded() throws -> Data {
        let encoder = JSONEncoder.rookery
        guard !unknown.isEmpty else { return try encoder.encode(record) }
        let members = try JSONDecoder().decode([String: JSONValue].self, from: encoder.encode(record))
        return try encoder.encode(JSONValue.object(unknown.merging(members) { $1 }))
    }

    private static func defaults(like members: [String: JSONValue]) throws -> [String: JSONValue] {
        let time = members["createdAt"]?.string.flatMap { try? Date($0, strategy: .rookery) } ?? .distantPast
        let blank = SessionRecord(
            id: SessionID(), tenantID: 0, tenant: "", ownerID: 0, owner: "", name: nil, kind: .terminal,
            lifecycle: .parked, desired: .parked, reason: nil, detail: nil, incarnation: 1, uidSlot: 0,
            policy: SessionPolicy.defaultName, image: "host", size: .standard, model: nil, permissionMode: nil,
            environment: [:], labels: [:], pinned: false, idleTimeout: nil, maxLifetime: nil, createdAt: time,
            updatedAt: time, startedAt: nil, lastActivityAt: time, lastSequence: 0, workerPID: nil,
            workerStartTime: nil, limits: [], cgroups: [:])
        return try JSONDecoder().decode([String: JSONValue].self, from: JSONEncoder.rookery.encode(blank))
    }
}

/// Why a manifest cannot be used.
public struct ManifestFault: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String
    init(_ description: String) { self.description = description }
}
