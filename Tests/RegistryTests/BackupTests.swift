import Foundation
import GRDB
import Glibc
import SessionCore
import Testing

@testable import Registry

struct BackupTests {
    @Test func aBackupIsOneWholeFileForItsOwnerAlone() async throws {
        let directory = try ScratchDirectory()
        let registry = try SessionRegistry(directory: directory.path)
        let id = try await registry.make(try await registry.person("alice")).id
        let backup = try await registry.backUp()
        var status = stat()
        #expect(stat(backup.path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(directory.path)/backups").count == 1)
        let rows = try await RegistryFile(path: backup.path).reader().read { try SessionRow.fetch(id, $0) }
        #expect(rows?.owner == "alice")
    }

    @Test func backupsAreDueByTimeAndAtOnceWhenAccountsChange() async throws {
        let directory = try ScratchDirectory()
        let registry = try SessionRegistry(directory: directory.path)
        let start = Date()
        #expect(try await registry.backUpIfDue(every: 3600, at: start) != nil)
        #expect(try await registry.backUpIfDue(every: 3600, at: start + 60) == nil)
        let alice = try await registry.person("alice")
        #expect(try await registry.backUpIfDue(every: 3600, at: start + 61) != nil)
        try await registry.make(alice)
        #expect(try await registry.backUpIfDue(every: 3600, at: start + 62) == nil)
        #expect(try await registry.backUpIfDue(every: 3600, at: start + 3700) != nil)
        // A clock that jumped back does not stop backups.
        #expect(try await registry.backUpIfDue(every: 3600, at: start - 7200) != nil)
    }

    @Test func theNewestAreKeptAndOneOfEachDay() {
        var store = BackupStore(stateDirectory: "/nowhere")
        store.newest = 3
        store.days = 4
        let start = Date(timeIntervalSince1970: 1_700_006_400)
        let hourly = (0..<24 * 10).map { hour in
            RegistryBackup(path: "\(hour)", time: start.addingTimeInterval(Double(hour) * 3600))
        }
        let gone = Set(store.superseded(among: hourly).map(\.path))
        let kept = hourly.map(\.path).filter { !gone.contains($0) }
        #expect(kept.suffix(3) == ["237", "238", "239"])
        #expect(kept.count == 6)
    }

    @Test func aSchemaThatChangesIsBackedUpBefore() async throws {
        let directory = try ScratchDirectory()
        do {
            let registry = try SessionRegistry(directory: directory.path)
            try await registry.write { database in
                try database.execute(sql: "ALTER TABLE sessions DROP COLUMN revision")
                try database.execute(sql: "DELETE FROM grdb_migrations WHERE identifier = 'v3-revisions'")
            }
            try registry.pool.close()
        }
        #expect(BackupStore(stateDirectory: directory.path).all().isEmpty)
        let registry = try SessionRegistry(directory: directory.path)
        #expect(registry.backups.all().count == 1)
    }

    @Test func whatAKilledSupervisorLeftHalfWrittenGoes() async throws {
        let directory = try ScratchDirectory()
        let folders = ["backups", "manifests"].map { "\(directory.path)/\($0)" }
        for folder in folders {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for (name, age) in [("old.new", 7200.0), ("old.new-journal", 7200), ("young.new", 60)] {
                try Data().write(to: URL(filePath: "\(folder)/\(name)"))
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: "\(folder)/\(name)")
            }
        }
        let registry = try SessionRegistry(directory: directory.path)
        let backup = try await registry.backUp()
        _ = try ManifestStore(stateDirectory: directory.path)
        #expect(
            try Set(FileManager.default.contentsOfDirectory(atPath: folders[0])) == [
                "young.new", URL(filePath: backup.path).lastPathComponent,
            ])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folders[1]) == ["young.new"])
    }

    @Test func aDamagedRegistryMakesNoBackup() async throws {
        let directory = try ScratchDirectory()
        let registry = try SessionRegistry(directory: directory.path)
        let alice = try await registry.person("alice")
        for _ in 0..<40 { try await registry.make(alice) }
        try await registry.pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        let file = open("\(directory.path)/registry.sqlite", O_WRONLY)
        var noise = [UInt8](repeating: 0xA7, count: 4096 * 4)
        pwrite(file, &noise, noise.count, 4096 * 8)
        close(file)
        do throws(RegistryError) {
            try await registry.backUp()
            Issue.record("it was backed up")
        } catch {
            guard case .corrupt = error else {
                Issue.record("\(error)")
                return
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(directory.path)/backups") == [])
    }
}

struct ManifestTests {
    @Test func whatALaterVersionWroteIsKept() async throws {
        let directory = try ScratchDirectory()
        let registry = try SessionRegistry(directory: directory.path)
        let record = try await registry.make(try await registry.person("alice"))
        let store = try ManifestStore(stateDirectory: directory.path)
        try await store.write(record)
        var text = try String(contentsOfFile: store.path(record.id), encoding: .utf8)
        text = "{\"colour\":\"green\"," + text.dropFirst()
        try text.write(toFile: store.path(record.id), atomically: true, encoding: .utf8)
        try await store.write(try await registry.park(record.id))
        #expect(try String(contentsOfFile: store.path(record.id), encoding: .utf8).contains("\"colour\":\"green\""))
        #expect(store.all().manifests.first?.record.lifecycle == .parked)
    }

    @Test func whatAnEarlierVersionDidNotWriteHasItsDefault() async throws {
        let directory = try ScratchDirectory()
        let registry = try SessionRegistry(directory: directory.path)
        let record = try await registry.make(try await registry.person("alice"))
        let store = try ManifestStore(stateDirectory: directory.path)
        var members = try JSONDecoder().decode(
            [String: JSONValue].self, from: try SessionManifest(record).encoded())
        for name in ["revision", "keepsWorkspace", "pinned", "limits"] { members[name] = nil }
        try JSONEncoder().encode(members).write(to: URL(fileURLWithPath: store.path(record.id)))
        let read = try #require(store.all().manifests.first?.record)
        #expect(read.id == record.id)
        #expect(read.revision == 0)
        #expect(read.environment == record.environment)
    }

    @Test(arguments: ["", "{}", "[1]", "{\"id\":\"x\"", "\u{0}\u{1}"])
    func aFileThatIsNoManifestIsNamed(_ text: String) throws {
        let directory = try ScratchDirectory()
        let store = try ManifestStore(stateDirectory: directory.path)
        let id = SessionID()
        try text.write(toFile: store.path(id), atomically: true, encoding: .utf8)
        #expect(store.all().manifests.isEmpty)
        #expect(store.all().faults.map(\.file) == ["\(id).json"])
    }

    @Test func aTombstoneStaysUntilNothingContradictsIt() async throws {
        let directory = try ScratchDirectory()
        let registry = try SessionRegistry(directory: directory.path)
        var record = try await registry.make(try await registry.person("alice"))
        let store = try ManifestStore(stateDirectory: directory.path)
        record.lifecycle = .deleted
        record.desired = .deleted
        try await store.write(record)
        store.prune(before: record.updatedAt - 1)
        await store.drain()
        #expect(store.isBuried(record.id))
        store.prune(before: record.updatedAt + 1)
        await store.drain()
        #expect(!store.isBuried(record.id))
    }
}
