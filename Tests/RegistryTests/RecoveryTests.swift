import Foundation
import GRDB
import Glibc
import SessionCore
import Testing

@testable import Registry

/// A state directory with a registry of three sessions, their manifests and one backup, and no supervisor.
final class State: Sendable {
    let path = "/tmp/rk-reg-\(UUID().uuidString.prefix(8).lowercased())"
    let ids = [SessionID(), SessionID(), SessionID()]
    let token: String

    var database: String { "\(path)/registry.sqlite" }

    init() async throws {
        let registry = try SessionRegistry(directory: path)
        let alice = try await registry.person("alice", in: "acme")
        for id in ids { try await registry.make(alice, id: id) }
        token = try await registry.createToken(userID: alice.userID, role: .user).token
        try await registry.backUp()
        let manifests = try ManifestStore(stateDirectory: path)
        for record in try await registry.allSessions() { try await manifests.write(record) }
        try await registry.end()
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func recovered() throws -> (registry: SessionRegistry, report: RecoveryReport?) {
        try SessionRegistry.recovering(directory: path, manifests: try ManifestStore(stateDirectory: path))
    }

    /// Changes the registry as a supervisor does.
    func changed(_ body: (SessionRegistry, ManifestStore) async throws -> Void) async throws {
        let registry = try SessionRegistry(directory: path)
        try await body(registry, try ManifestStore(stateDirectory: path))
        try await registry.end()
    }

    func overwrite(_ file: String, bytes: Int = 20_000, at offset: Int = 0) throws {
        let descriptor = open(file, O_WRONLY | O_CREAT, 0o600)
        defer { close(descriptor) }
        var noise = (0..<bytes).map { _ in UInt8.random(in: 0...255) }
        try #require(pwrite(descriptor, &noise, bytes, off_t(offset)) == bytes)
    }
}

extension SessionRegistry {
    /// With everything in the file: the log alone could bring all of it back.
    func end() async throws {
        try await pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        try pool.close()
    }

    func park(_ id: SessionID) async throws -> SessionRecord {
        try #require(
            await transition(
                id, SessionTransition(from: [.starting], incarnation: 1, to: .parked, desired: .parked, actor: "alice"))
        )
    }
}

struct RecoveryTests {
    @Test func whatIsInOrderIsLeftAlone() async throws {
        let state = try await State()
        #expect(try state.recovered().report == nil)
        #expect(!FileManager.default.fileExists(atPath: "\(state.path)/damaged"))
    }

    @Test func nothingIsRecoveredWhereNothingWas() throws {
        let directory = try ScratchDirectory()
        let opened = try SessionRegistry.recovering(
            directory: directory.path, manifests: try ManifestStore(stateDirectory: directory.path))
        #expect(opened.report == nil)
    }

    @Test(arguments: ["random bytes", "a page", "no header", "nothing", "gone", "text"])
    func aRegistryThatIsLostIsMadeAnewFromBackupAndManifests(_ damage: String) async throws {
        let state = try await State()
        let newer = SessionID()
        try await state.changed { registry, manifests in
            // After the backup: one more session, one that is parked, one that is deleted.
            let alice = try await registry.person("alice", in: "acme")
            try await manifests.write(try await registry.make(alice, id: newer))
            try await manifests.write(try await registry.park(state.ids[0]))
            var gone = try #require(
                try await registry.transition(
                    state.ids[1],
                    SessionTransition(
                        from: [.starting], incarnation: 1, to: .deleted, desired: .deleted, actor: "alice")))
            gone.environment = ["SECRET": "x"]
            try await manifests.write(gone)
        }
        switch damage {
        case "random bytes": try state.overwrite(state.database)
        case "a page": try state.overwrite(state.database, bytes: 4096, at: 4096 * 3)
        case "no header": try state.overwrite(state.database, bytes: 100)
        case "nothing": truncate(state.database, 0)
        case "gone": unlink(state.database)
        default: try "not a database".write(toFile: state.database, atomically: false, encoding: .utf8)
        }
        let before = FileManager.default.contents(atPath: state.database)
        let (registry, found) = try state.recovered()
        let report = try #require(found)
        #expect(report.restored == [newer])
        #expect(report.advanced == [state.ids[0]])
        #expect(report.deleted == [state.ids[1]])
        #expect(report.base != nil)
        #expect(report.lost.contains { $0.contains("tokens") })
        let alice = try await registry.person("alice", in: "acme")
        let sessions = try await registry.sessions(SessionQuery(), visibleTo: alice).items
        #expect(Set(sessions.map(\.id)) == [state.ids[0], state.ids[2], newer])
        #expect(try await registry.session(state.ids[0])?.lifecycle == .parked)
        #expect(try await registry.session(newer)?.environment == ["GREETING": "hällo \"you\"\n"])
        #expect(try await registry.principal(ofToken: state.token)?.name == "alice")
        // Kept as it was found.
        if let before, !before.isEmpty {
            let aside = try #require(report.setAside)
            #expect(FileManager.default.contents(atPath: "\(aside)/registry.sqlite") == before)
        }
        // New sessions get a uid range of their own.
        let slots = try await registry.allSessions().filter { $0.lifecycle != .deleted }.map(\.uidSlot)
        #expect(Set(slots + [try await registry.make(alice).uidSlot]).count == slots.count + 1)
        // What is gone keeps no secrets.
        let tomb = try String(contentsOfFile: "\(state.path)/manifests/\(state.ids[1]).json", encoding: .utf8)
        #expect(!tomb.contains("SECRET"))
    }

    @Test func aLogOfRandomBytesLosesNoSession() async throws {
        let state = try await State()
        // A supervisor that is killed leaves its last transactions in the log alone.
        let registry = try SessionRegistry(directory: state.path)
        let manifests = try ManifestStore(stateDirectory: state.path)
        try await manifests.write(try await registry.park(state.ids[0]))
        let copy = try ScratchDirectory()
        for name in ["registry.sqlite", "registry.sqlite-wal"] {
            try FileManager.default.copyItem(atPath: "\(state.path)/\(name)", toPath: "\(copy.path)/\(name)")
        }
        try FileManager.default.copyItem(atPath: "\(state.path)/manifests", toPath: "\(copy.path)/manifests")
        try #require(WriteAheadLog.fault(at: "\(copy.path)/registry.sqlite-wal") == nil)
        try state.overwrite("\(copy.path)/registry.sqlite-wal", bytes: 9000)
        let opened = try SessionRegistry.recovering(
            directory: copy.path, manifests: try ManifestStore(stateDirectory: copy.path))
        #expect(opened.report?.cause.contains("log was damaged") == true)
        #expect(try await opened.registry.session(state.ids[0])?.lifecycle == .parked)
    }

    @Test func damageAmidTheLogIsSeenThoughSQLiteDoesNotSeeIt() async throws {
        let state = try await State()
        let registry = try SessionRegistry(directory: state.path)
        for id in state.ids { _ = try await registry.park(id) }
        var log = [UInt8](try #require(FileManager.default.contents(atPath: state.database + "-wal")))
        #expect(WriteAheadLog.fault(in: log) == nil)
        // The last frame is torn: a power cut does that, and nothing that was acknowledged is lost.
        #expect(WriteAheadLog.fault(in: Array(log.dropLast(100))) == nil)
        log[32 + 24 + 500] ^= 1
        #expect(WriteAheadLog.fault(in: log)?.contains("frame 1") == true)
    }

    @Test func aManifestThatIsNewerThanItsRowProvesALossAndIsTakenOver() async throws {
        let state = try await State()
        let before = try #require(FileManager.default.contents(atPath: state.database))
        try await state.changed { registry, manifests in
            try await manifests.write(try await registry.park(state.ids[2]))
        }
        // The disk gives back what it had before.
        try before.write(to: URL(fileURLWithPath: state.database))
        let (registry, report) = try state.recovered()
        #expect(report?.advanced == [state.ids[2]])
        #expect(try await registry.session(state.ids[2])?.lifecycle == .parked)
    }

    @Test func withoutBackupSessionsComeFromManifestsAlone() async throws {
        let state = try await State()
        try FileManager.default.removeItem(atPath: "\(state.path)/backups")
        try state.overwrite(state.database)
        let (registry, report) = try state.recovered()
        #expect(Set(report?.restored ?? []) == Set(state.ids))
        #expect(report?.lost.contains { $0.contains("all tokens but the admin's are lost") } == true)
        #expect(try await registry.principal(ofToken: state.token) == nil)
        let alice = try await registry.person("alice", in: "acme")
        #expect(try await registry.sessions(SessionQuery(), visibleTo: alice).items.count == 3)
        // The operator is not locked out: the token of the file is valid again.
        let operators = "rk_abcdefghijkl_" + String(repeating: "0", count: 64)
        #expect(try await registry.ensureAdminToken(fileContents: operators) == operators)
        #expect(try await registry.principal(ofToken: operators)?.role == .operator)
    }

    @Test func aBadBackupIsPassedOverForTheOneBefore() async throws {
        let state = try await State()
        let good = try #require(BackupStore(stateDirectory: state.path).all().first)
        let bad = "\(state.path)/backups/registry-\(BackupStore.stamp(Date().addingTimeInterval(60))).sqlite"
        try FileManager.default.copyItem(atPath: good.path, toPath: bad)
        try state.overwrite(bad, bytes: 8192, at: 4096)
        try state.overwrite(state.database)
        let report = try #require(try state.recovered().report)
        #expect(report.base == good.path)
        #expect(report.rejectedBackups.count == 1)
    }

    @Test func aSessionThatDidNotComeUpDoesNotComeBackWithABackup() async throws {
        let state = try await State()
        // As a failed start leaves it: no manifest. The backup was made amid the start.
        unlink("\(state.path)/manifests/\(state.ids[0]).json")
        try state.overwrite(state.database)
        let (registry, report) = try state.recovered()
        #expect(report?.deleted == [state.ids[0]])
        #expect(try await registry.sessionsToDelete().map(\.id) == [state.ids[0]])
    }

    @Test func aTokenThatWasRevokedAfterTheBackupStaysRevoked() async throws {
        let state = try await State()
        try await state.changed { registry, _ in
            let alice = try await registry.person("alice", in: "acme")
            let record = try #require(try await registry.tokens(visibleTo: alice).first)
            _ = try await registry.revokeToken(record.publicID, visibleTo: alice)
        }
        try state.overwrite(state.database)
        #expect(try await state.recovered().registry.principal(ofToken: state.token) == nil)
    }

    @Test func twoSessionsNeverShareAUidRange() async throws {
        let state = try await State()
        try FileManager.default.removeItem(atPath: "\(state.path)/backups")
        // A manifest that claims another's range.
        let manifests = try ManifestStore(stateDirectory: state.path)
        var record = try #require(manifests.all().manifests.map(\.record).first { $0.id == state.ids[0] })
        record.id = SessionID()
        record.createdAt += 60
        try await manifests.write(record)
        try state.overwrite(state.database)
        let (registry, report) = try state.recovered()
        #expect(try await registry.session(record.id) == nil)
        #expect(report?.unusable.contains { $0.contains("uid range") } == true)
    }

    @Test func aNewerVersionsRegistryIsNotTouched() async throws {
        let state = try await State()
        try await state.changed { registry, _ in
            try await registry.write {
                try $0.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('v999')")
            }
        }
        #expect(throws: RegistryError.self) { try state.recovered() }
        #expect(throws: RegistryError.self) { try SessionRegistry.rebuild(directory: state.path, cause: "test") }
        #expect(!FileManager.default.fileExists(atPath: "\(state.path)/damaged"))
    }

    @Test func restoringTakesTokensFromTheBackupAndSessionsFromTheirManifests() async throws {
        let state = try await State()
        let backup = try #require(BackupStore(stateDirectory: state.path).all().first)
        try await state.changed { registry, manifests in
            try await manifests.write(try await registry.park(state.ids[0]))
            let alice = try await registry.person("alice", in: "acme")
            _ = try await registry.createToken(userID: alice.userID, role: .user)
        }
        let report = try SessionRegistry.rebuild(directory: state.path, from: backup.path, cause: "test")
        #expect(report.advanced == [state.ids[0]])
        let (registry, pending) = try state.recovered()
        // The next supervisor still has to ask the workers.
        #expect(pending?.cause == "test")
        registry.finishRecovery()
        let alice = try await registry.person("alice", in: "acme")
        #expect(try await registry.tokens(visibleTo: alice).count == 1)
    }

    @Test func nothingIsRebuiltBesideASupervisor() async throws {
        let state = try await State()
        let registry = try SessionRegistry(directory: state.path)
        do throws(RegistryError) {
            _ = try SessionRegistry.rebuild(directory: state.path, cause: "test")
            Issue.record("it was rebuilt")
        } catch {
            guard case .locked = error else {
                Issue.record("\(error)")
                return
            }
        }
        // Looking and copying work.
        let found = try RegistryInspection(directory: state.path)
        #expect(found.status == .ok)
        #expect(found.inUse)
        #expect(found.counts["sessions"] == 3)
        let copy = try RegistryCopy.make(ofStateDirectory: state.path)
        #expect(try RegistryFile(path: copy.path).condition(thorough: true) == .sound)
        #expect(try await registry.tenants().count == 1)
    }

    @Test func aLookSaysWhatIsWrongAndWhatToDo() async throws {
        let state = try await State()
        try state.overwrite(state.database)
        try state.overwrite("\(state.path)/manifests/\(state.ids[0]).json")
        let found = try RegistryInspection(directory: state.path)
        #expect(found.status == .damaged)
        #expect(found.findings.contains { $0.contains("\(state.ids[0]).json") })
        #expect(found.remedy?.contains("rookery registry rebuild") == true)
    }

    @Test func aLiveWorkerAdvancesItsSessionAndAStrangerBecomesTheOperators() async throws {
        let state = try await State()
        let registry = try SessionRegistry(directory: state.path)
        func live(_ id: SessionID, _ incarnation: Int) -> LiveIncarnation {
            LiveIncarnation(
                sessionID: id, incarnation: incarnation, pid: 7, startTime: 8, lastSequence: 900, size: .standard)
        }
        _ = try await registry.park(state.ids[0])
        #expect(try await registry.learn(of: live(state.ids[0], 2)) == .advanced)
        let advanced = try await registry.session(state.ids[0])
        #expect(advanced?.lifecycle == .running)
        #expect(advanced?.incarnation == 2)
        #expect(advanced?.lastSequence == 900)
        #expect(try await registry.learn(of: live(state.ids[1], 1)) == .known)
        let stranger = SessionID()
        #expect(try await registry.learn(of: live(stranger, 4)) == .stranger)
        #expect(try await registry.session(stranger)?.owner == "admin")
        _ = try await registry.intend(.deleted, for: state.ids[2], in: 1)
        #expect(try await registry.learn(of: live(state.ids[2], 9)) == .known)
    }
}
