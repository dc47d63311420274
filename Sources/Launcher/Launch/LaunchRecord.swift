import Foundation
import Glibc
import Sandbox
import SessionCore
import WorkerControl

/// What runs of a session, noted by the launcher so that its successor finds it too: with no cgroups there is nothing
/// else to find it by.
struct LaunchRecord: Codable, Sendable {
    var sandbox: ProcessIdentity
    var worker: ProcessIdentity
    /// Directories of the cgroup leaf by controller: a successor may be in another cgroup itself.
    var cgroups: [String: String]
    /// The directory with the session's `workspace` and `home`; nil: they are in an image, and seen at
    /// `/proc/<sandbox pid>/root` while it runs.
    var files: String?

    private static let largest = 64 * 1024

    static func fileName(_ id: SessionID) -> String { "\(id).json" }

    static func read(_ id: SessionID, in records: Directory) -> LaunchRecord? {
        records.record(fileName(id), largest: largest)
    }

    /// Replaces the record in one step.
    func write(_ id: SessionID, in records: Directory) throws(SystemError) {
        try Draft(of: id.description, in: records).publish(self, as: Self.fileName(id))
    }

    /// Removes it, and one that was being written.
    static func remove(_ id: SessionID, in records: Directory) {
        Draft(of: id.description, in: records).remove()
        _ = unlinkat(records.descriptor.number, fileName(id), 0)
    }

    /// The sessions that have a record.
    static func sessions(in records: Directory) -> [SessionID] {
        ((try? records.names()) ?? []).compactMap {
            $0.hasSuffix(".json") ? SessionID(parsing: $0.dropLast(".json".count)) : nil
        }
    }
}
