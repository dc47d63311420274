import Foundation
import GRDB
import Glibc
import SessionCore
import Testing

@testable import Registry

struct DatabaseTests {
    @Test func aSecondSupervisorIsToldWhoHoldsTheRegistry() async throws {
        let directory = try ScratchDirectory()
        var first: SessionRegistry? = try SessionRegistry(directory: directory.path)
        do throws(RegistryError) {
            _ = try SessionRegistry(directory: directory.path)
            Issue.record("it was opened twice")
        } catch {
            #expect(error == .locked(path: "\(directory.path)/registry.lock", pid: getpid()))
            #expect("\(error)".contains("process \(getpid())"))
        }
        #expect(try await first?.tenants() == [])
        first = nil
        _ = try SessionRegistry(directory: directory.path)
    }

    @Test func commitsSurviveAPowerCut() async throws {
        try await withRegistry { registry in
            let (journal, synchronous, foreignKeys) = try await registry.write { database in
                (
                    try String.fetchOne(database, sql: "PRAGMA journal_mode"),
                    try Int.fetchOne(database, sql: "PRAGMA synchronous"),
                    try Int.fetchOne(database, sql: "PRAGMA foreign_keys")
                )
            }
            #expect(journal == "wal")
            #expect(synchronous == 2)
            #expect(foreignKeys == 1)
        }
    }

    @Test func whatWasWrittenIsThereAfterReopening() async throws {
        let directory = try ScratchDirectory()
        let id: SessionID
        do {
            let registry = try SessionRegistry(directory: directory.path)
            id = try await registry.make(try await registry.person("alice")).id
        }
        let registry = try SessionRegistry(directory: directory.path)
        #expect(try await registry.session(id)?.owner == "alice")
    }

    @Test func statesThatNobodyKnowsCannotBeStored() async throws {
        try await withRegistry { registry in
            let id = try await registry.make(try await registry.person("alice")).id
            for sql in [
                "UPDATE sessions SET lifecycle = 'asleep'", "UPDATE sessions SET reason = 'because'",
                "UPDATE sessions SET desired = 'maybe'", "UPDATE sessions SET labels = '{'",
                "UPDATE sessions SET owner_id = 4711", "UPDATE sessions SET incarnation = 'one'",
                "INSERT INTO transitions (session_id, incarnation, to_state, actor, at) VALUES ('x', 1, 'parked', 'a', 1)",
                "INSERT INTO tokens VALUES ('abcdefghijkl', x'00', 1, 'user', NULL, 1, NULL, NULL)",
            ] {
                await #expect(throws: RegistryError.self, "\(sql)") {
                    try await registry.write { try $0.execute(sql: sql) }
                }
            }
            #expect(try await registry.session(id)?.lifecycle == .starting)
        }
    }

    @Test func aNewerSchemaIsRefused() async throws {
        let directory = try ScratchDirectory()
        do {
            let registry = try SessionRegistry(directory: directory.path)
            try await registry.write {
                try $0.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('v999')")
            }
        }
        do throws(RegistryError) {
            _ = try SessionRegistry(directory: directory.path)
            Issue.record("it was opened")
        } catch {
            guard case .corrupt(let detail) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(detail.contains("newer"))
        }
    }

    @Test func aFileThatIsNoRegistryIsSaidToBeDamaged() throws {
        let directory = try ScratchDirectory()
        try String(repeating: "not a database ", count: 1000).write(
            toFile: "\(directory.path)/registry.sqlite", atomically: true, encoding: .utf8)
        do throws(RegistryError) {
            _ = try SessionRegistry(directory: directory.path)
            Issue.record("it was opened")
        } catch {
            guard case .corrupt = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    @Test func aDirectoryThatCannotBeMadeIsStorage() throws {
        do throws(RegistryError) {
            _ = try SessionRegistry(directory: "/dev/null/state")
            Issue.record("it was opened")
        } catch {
            guard case .storage = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    @Test func aCancelledCallerWritesNothing() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice")
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                return await Result { () async throws -> SessionRecord in try await registry.make(alice) }
            }
            task.cancel()
            guard case .failure(let error) = await task.value else {
                Issue.record("it was written")
                return
            }
            #expect(error as? RegistryError == .cancelled)
            #expect(try await registry.sessions(SessionQuery(), visibleTo: alice).items.isEmpty)
        }
    }

    @Test(.enabled(if: geteuid() == 0)) func aFullDiskIsStorageAndPasses() async throws {
        let disk = try ScratchDirectory()
        guard mount("tmpfs", disk.path, "tmpfs", 0, "size=2m") == 0 else {
            // A container without CAP_SYS_ADMIN.
            return
        }
        defer { umount2(disk.path, Int32(MNT_DETACH)) }
        let registry = try SessionRegistry(directory: disk.path)
        let alice = try await registry.person("alice")
        let ballast = "\(disk.path)/ballast"
        let file = open(ballast, O_WRONLY | O_CREAT, 0o600)
        let block = [UInt8](repeating: 1, count: 1024)
        while write(file, block, block.count) > 0 {}
        close(file)

        var failure: RegistryError?
        for _ in 0..<50 where failure == nil {
            do { try await registry.make(alice) } catch { failure = error as? RegistryError }
        }
        guard case .storage = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        let before = try await registry.sessions(SessionQuery(limit: 200), visibleTo: alice).items.count
        unlink(ballast)
        try await registry.make(alice)
        #expect(try await registry.sessions(SessionQuery(limit: 200), visibleTo: alice).items.count == before + 1)
    }
}

extension Result where Failure == any Error {
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
