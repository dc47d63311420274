public import Foundation
public import SessionCore

/// What was wrong with a registry, what was done about it, and what could not be known.
public struct RecoveryReport: Codable, Sendable, Hashable {
    public var time: Date
    /// What was found.
    public var cause: String
    /// The directory with the files as they were found.
    public var setAside: String?
    /// The backup that everything was built on; nil: none, or the registry itself.
    public var base: String?
    public var baseTime: Date?
    /// Backups that were not good enough, each with why.
    public var rejectedBackups: [String] = []
    /// Sessions that the registry or backup did not have and their manifests did.
    public var restored: [SessionID] = []
    /// Sessions of which the manifest knew more.
    public var advanced: [SessionID] = []
    /// Sessions whose deletion only the manifest knew.
    public var deleted: [SessionID] = []
    /// Sessions that are as the backup had them, since they have no manifest.
    public var unconfirmed: [SessionID] = []
    /// Sessions that were found by their workers alone.
    public var strangers: [SessionID] = []
    /// Manifests that could not be used, each with why. The files are kept.
    public var unusable: [String] = []
    /// Directories of sessions that nobody knows any more. They are kept.
    public var orphans: [String] = []
    /// What could not be known, one sentence each.
    public var lost: [String] = []

    enum CodingKeys: String, CodingKey {
        case time, cause
        case setAside = "set_aside"
        case base
        case baseTime = "base_time"
        case rejectedBackups = "rejected_backups"
        case restored, advanced, deleted, unconfirmed, strangers, unusable, orphans, lost
    }

    init(cause: String, at time: Date) {
        self.cause = cause
        self.time = time
    }

    /// Whether the manifests knew anything that the registry did not.
    var changedAnything: Bool { !(restored.isEmpty && advanced.isEmpty && deleted.isEmpty) }

    /// In one line, for a log and for `/readyz`.
    public var summary: String {
        var parts = [cause]
        if let base { parts.append("built on the backup \((base as NSString).lastPathComponent)") }
        let counts = [
            (restored, "restored from manifests"), (advanced, "brought up to date from manifests"),
            (deleted, "deleted as their manifests say"), (unconfirmed, "as the backup has them"),
            (strangers, "known by their workers alone"),
        ]
        parts += counts.filter { !$0.0.isEmpty }.map { "\($0.0.count) session\($0.0.count == 1 ? "" : "s") \($0.1)" }
        if !unusable.isEmpty { parts.append("\(unusable.count) manifests are unusable") }
        if !orphans.isEmpty { parts.append("\(orphans.count) directories belong to no known session") }
        parts += lost
        if let setAside { parts.append("the files as they were found are in \(setAside)") }
        return parts.joined(separator: "; ")
    }
}
