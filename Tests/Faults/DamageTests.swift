import EndToEndSupport
import Foundation
import Glibc
import SessionCore
import Testing

/// Random bytes where a file of the service should be. The session whose file it is says so and is left alone; everything
/// else goes on, and nothing is deleted.
@Suite(.serialized) struct DamageTests {
    /// Writes random bytes over a part of a file.
    private func damage(_ file: String, at offset: UInt64, count: Int) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
        defer { try? handle.close() }
        try handle.seek(toOffset: offset)
        try handle.write(contentsOf: Data((0..<count).map { _ in UInt8.random(in: 0...255) }))
    }

    private func files(in directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).sorted().map { "\(directory)/\($0)" }
    }

    private func size(_ file: String) -> UInt64 {
        (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? UInt64) ?? 0
    }

    @Test func aJournalWithADamagedMiddleStopsItsSessionAlone() async throws {
        try await Listener.with { rookery in
            let id = try await rookery.api.create()
            let beside = try await rookery.api.create()
            for line in 1...20 { try await rookery.api.input(id, "line \(line)") }
            try await eventually("the lines") { Listener.said(in: id, of: rookery).count == 20 ? true : nil }
            #expect(try await rookery.api.post("/v1/sessions/\(id)/park").status == 200)
            let directory = "\(rookery.stateDirectory)/journals/\(id)"
            let before = try files(in: directory)
            let largest = try #require(before.max { size($0) < size($1) })
            try damage(largest, at: size(largest) / 3, count: 64)

            let refused = try await rookery.api.post("/v1/sessions/\(id)/resume")
            #expect(refused.status >= 500 && refused.text.contains("journal"), "\(refused.text)")
            #expect(refused.json["remedy"]?.string?.isEmpty == false || refused.text.contains("quarantine"))
            // What there was is still there, aside or in its place.
            let after = try everything(below: "\(rookery.stateDirectory)/journals")
            #expect(after.count >= before.count)
            try await rookery.api.input(beside, "not touched")
            try await eventually("the line") { Listener.said(in: beside, of: rookery) == ["not touched"] ? true : nil }
        }
    }

    @Test func aJournalWithATornTailGoesOnAtItsLastGoodRecord() async throws {
        try await Listener.with { rookery in
            let id = try await rookery.api.create()
            for line in 1...5 { try await rookery.api.input(id, "line \(line)") }
            try await eventually("the lines") { Listener.said(in: id, of: rookery).count == 5 ? true : nil }
            #expect(try await rookery.api.post("/v1/sessions/\(id)/park").status == 200)
            let directory = "\(rookery.stateDirectory)/journals/\(id)"
            let newest = try #require(try files(in: directory).max { size($0) < size($1) })
            let handle = try FileHandle(forUpdating: URL(fileURLWithPath: newest))
            try handle.truncate(atOffset: size(newest) - 3)
            try handle.close()
            #expect(try await rookery.api.post("/v1/sessions/\(id)/resume").status == 200)
            try await rookery.api.input(id, "line 6")
            try await eventually("the line") { Listener.said(in: id, of: rookery).last == "line 6" ? true : nil }
            #expect(Listener.said(in: id, of: rookery) == (1...6).map { "line \($0)" })
        }
    }

    @Test func aDamagedManifestHarmsNobodyWhileThereIsARegistry() async throws {
        try await Listener.with { rookery in
            let id = try await rookery.api.create()
            try damage("\(rookery.stateDirectory)/manifests/\(id).json", at: 0, count: 200)
            await rookery.endSupervisor(signal: SIGKILL)
            try await rookery.start()
            try await rookery.api.input(id, "after")
            try await eventually("the line") { Listener.said(in: id, of: rookery) == ["after"] ? true : nil }
        }
    }

    @Test("a registry and its log of random bytes", arguments: [["registry.sqlite"], ["registry.sqlite-wal"]])
    func registry(names: [String]) async throws {
        try await Listener.with { rookery in
            let id = try await rookery.api.create()
            let terminal = try await rookery.api.terminal(id)
            _ = try await terminal.waitForMessage(type: "snapshot")
            await rookery.endSupervisor(signal: SIGKILL)
            for name in names {
                let file = "\(rookery.stateDirectory)/\(name)"
                try #require(FileManager.default.fileExists(atPath: file))
                try damage(file, at: 0, count: max(Int(size(file)), 4096))
            }
            try await rookery.start()
            #expect(try await rookery.api.session(id)["lifecycle"]?.string == "running")
            try await rookery.api.input(id, "after")
            try await eventually("the line") { Listener.said(in: id, of: rookery) == ["after"] ? true : nil }
            await terminal.close()
        }
    }

    private func everything(below directory: String) throws -> [String] {
        (FileManager.default.enumerator(atPath: directory)?.allObjects as? [String] ?? []).map { "\(directory)/\($0)" }
    }
}
