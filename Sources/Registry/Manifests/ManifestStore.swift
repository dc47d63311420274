import Dispatch
public import Foundation
import Glibc
public import SessionCore
import Synchronization

/// `<state>/manifests/<id>.json`: each session as the registry has it, written after the registry, so that a lost
/// registry can be rebuilt and one that lost something is found out. A deleted session leaves a manifest that says so:
/// no backup brings it back. The sessions' own directories belong to the launcher; these are the supervisor's.
///
/// Files are written one after the other, in the order of the calls, on a thread of their own.
public final class ManifestStore: Sendable {
    public let directory: String
    private let queue = DispatchQueue(label: "manifests")
    /// What could not be written.
    private let unwritten = Mutex<[SessionID: SessionRecord]>([:])
    private static let largest = 1 << 20

    public init(stateDirectory: String) throws(RegistryError) {
        directory = "\(stateDirectory)/manifests"
        try DurableFile.makeDirectory(directory)
        DurableFile.removeLeftovers(in: directory)
    }

    /// For looking only; nil where there are none.
    init?(existingIn stateDirectory: String) {
        directory = "\(stateDirectory)/manifests"
        guard access(directory, R_OK | X_OK) == 0 else { return nil }
    }

    public func path(_ id: SessionID) -> String { "\(directory)/\(id).json" }

    // MARK: - Writing

    /// Replaces the manifest; it is durable afterwards.
    public func write(_ record: SessionRecord) async throws(RegistryError) {
        let outcome = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: self.writeNow(record)) }
        }
        try outcome.get()
    }

    /// Replaces the manifest soon, and tells when that fails: it is then tried again with the next ones.
    public func post(_ record: SessionRecord, failed: @escaping @Sendable (RegistryError) -> Void) {
        queue.async {
            if case .failure(let error) = self.writeNow(record) { failed(error) }
        }
    }

    /// Drops the manifest of a session that never came up and left nothing, after what was posted before.
    public func remove(_ id: SessionID) {
        queue.async {
            self.unwritten.withLock { $0[id] = nil }
            unlink(self.path(id))
        }
    }

    /// Tries again what could not be written.
    /// - Returns: how many are still not.
    @discardableResult
    public func retry() async -> Int {
        await withCheckedContinuation { continuation in
            queue.async {
                for record in self.unwritten.withLock({ Array($0.values) }) { _ = self.writeNow(record) }
                continuation.resume(returning: self.unwritten.withLock { $0.count })
            }
        }
    }

    /// Returns when all that was posted is written.
    public func drain() async {
        await withCheckedContinuation { continuation in queue.async { continuation.resume() } }
    }

    private func writeNow(_ record: SessionRecord) -> Result<Void, RegistryError> {
        let path = path(record.id)
        do {
            let manifest = SessionManifest(record, keeping: (try? read(path).get())?.unknown ?? [:])
            try DurableFile.write(try manifest.encoded(), to: path)
            unwritten.withLock { $0[record.id] = nil }
            return .success(())
        } catch {
            unwritten.withLock { $0[record.id] = record }
            return .failure(.storage("\(error)"))
        }
    }

    // MARK: - Reading

    /// Every manifest, and for each file that is none what is wrong with it.
    public func all() -> (manifests: [SessionManifest], faults: [(file: String, fault: ManifestFault)]) {
        var manifests: [SessionManifest] = []
        var faults: [(file: String, fault: ManifestFault)] = []
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
        for name in names where name.hasSuffix(".json") {
            switch read("\(directory)/\(name)") {
            case .success(let manifest) where name == "\(manifest.record.id).json": manifests.append(manifest)
            case .success(let manifest):
                faults.append((name, ManifestFault("it is of session \(manifest.record.id)")))
            case .failure(let fault): faults.append((name, fault))
            }
        }
        return (manifests, faults)
    }

    func hasManifest(_ id: SessionID) -> Bool { access(path(id), F_OK) == 0 }

    private func read(_ path: String) -> Result<SessionManifest, ManifestFault> {
        guard let data = FileManager.default.contents(atPath: path) else {
            return .failure(ManifestFault("it cannot be read"))
        }
        guard data.count <= Self.largest else { return .failure(ManifestFault("it has \(data.count) bytes")) }
        do throws(ManifestFault) { return .success(try SessionManifest(parsing: data)) } catch {
            return .failure(error)
        }
    }

    /// Whether the session's deletion was asked for.
    public func isBuried(_ id: SessionID) -> Bool { (try? read(path(id)).get())?.isTombstone ?? false }

    /// Those of the records that are newer than their manifests, or have none that can be read.
    public func behind(_ records: [SessionRecord]) async -> [SessionRecord] {
        await withCheckedContinuation { continuation in
            queue.async {
                let behind = records.filter { record in
                    guard let manifest = try? self.read(self.path(record.id)).get() else { return true }
                    return ManifestMerge.isNewer(record, than: manifest.record)
                }
                continuation.resume(returning: behind)
            }
        }
    }

    /// Drops the manifests of sessions that were deleted before a time.
    public func prune(before time: Date) {
        queue.async {
            for manifest in self.all().manifests
            where manifest.isTombstone && manifest.record.updatedAt < time {
                unlink(self.path(manifest.record.id))
            }
        }
    }
}
