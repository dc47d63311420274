import Foundation
import Glibc
import Sandbox
import SessionCore
import Testing
import WorkerControl

/// What a launcher was making when it was killed does not stay.
@Suite struct DraftTests {
    /// What a launch of the session leaves that is cut off at its worst moments.
    private static func cutOff(_ id: SessionID, in scratch: Scratch, rootless: Bool) throws {
        var files = ["run/launcher/.\(id).new", "state/sessions/\(id)/.image.json.new"]
        var directories = ["state/sessions/\(id)", "run/launcher/\(id).disk"]
        if !rootless {
            files.append("state/disks/.\(id).new")
            directories.insert("state/disks", at: 0)
        }
        directories.insert(contentsOf: ["state/sessions", "run/launcher"], at: 0)
        for directory in directories {
            let path = "\(scratch.path)/\(directory)"
            if mkdir(path, 0o700) == 0, rootless || directory.hasPrefix("state/sessions") {
                chown(path, Stage.service, Stage.service)
            }
        }
        for file in files {
            try Data("half".utf8).write(to: URL(fileURLWithPath: "\(scratch.path)/\(file)"))
        }
    }

    private static func left(_ id: SessionID, in scratch: Scratch) -> [String] {
        ["run/launcher/.\(id).new", "run/launcher/\(id).disk", "state/disks/.\(id).new"].filter(scratch.exists)
    }

    @Test("a launcher that starts removes them all", arguments: LaunchTests.modes)
    func start(rootless: Bool) async throws {
        let scratch = try Scratch(owner: Stage.service)
        defer { scratch.remove() }
        let ids = [SessionID(), SessionID()]
        for id in ids { try Self.cutOff(id, in: scratch, rootless: rootless) }
        let launcher = try RunningLauncher(
            scratch, rootless ? .rootless(uid: Stage.service) : .root(service: Stage.service))
        guard case .capabilities? = try await launcher.ask(.capabilities) else {
            Issue.record("no capabilities: \(scratch.text("bin/launcher.log") ?? "")")
            return
        }
        for id in ids { #expect(Self.left(id, in: scratch) == []) }
        // What may be somebody's is not its to judge.
        for id in ids { #expect(scratch.exists("state/sessions/\(id)")) }
        #expect(await launcher.stop() == .code(0))
    }

    @Test("a sweep finds them, and an inventory only what is data", arguments: LaunchTests.modes)
    func sweep(rootless: Bool) async throws {
        try await Stage.with(rootless: rootless) { stage in
            _ = try await stage.launcher.ask(.capabilities)
            let ids = [SessionID(), SessionID()]
            for id in ids { try Self.cutOff(id, in: stage.scratch, rootless: rootless) }
            guard case .swept(let swept)? = try await stage.launcher.ask(.sweep(SweepRequest(live: [ids[0]]))) else {
                Issue.record("not swept")
                return
            }
            #expect(swept == [ids[1]])
            #expect(Self.left(ids[1], in: stage.scratch) == [])
            #expect(Self.left(ids[0], in: stage.scratch) != [])
            // A session with a journal alone, and one with an image alone.
            let kept = [SessionID(), SessionID()]
            mkdir("\(stage.scratch.path)/state/journals/\(kept[0])", 0o700)
            if !rootless {
                _ = FileManager.default.createFile(
                    atPath: "\(stage.scratch.path)/state/disks/\(kept[1]).img", contents: Data())
            }
            let all = (ids + (rootless ? [kept[0]] : kept)).map(\.description).sorted()
            var found: [String] = []
            var last: SessionID?
            while case .inventory(let page)? = try await stage.launcher.ask(.inventory(InventoryRequest(after: last))),
                let end = page.last
            {
                found += page.map(\.description)
                last = end
            }
            #expect(found == all)
        }
    }

    @Test("a session that is cleaned or removed takes its own along", arguments: LaunchTests.modes, [true, false])
    func clean(rootless: Bool, removes: Bool) async throws {
        try await Stage.with(rootless: rootless) { stage in
            _ = try await stage.launcher.ask(.capabilities)
            let (id, other) = (SessionID(), SessionID())
            for id in [id, other] { try Self.cutOff(id, in: stage.scratch, rootless: rootless) }
            let before = Self.left(other, in: stage.scratch)
            let request: LauncherRequest =
                removes
                ? .remove(RemoveRequest(sessionID: id, keepWorkspace: false)) : .clean(CleanRequest(sessionID: id))
            guard case .done? = try await stage.launcher.ask(request) else {
                Issue.record("not done")
                return
            }
            #expect(Self.left(id, in: stage.scratch) == [])
            #expect(stage.scratch.exists("state/sessions/\(id)") == !removes)
            #expect(!stage.scratch.exists("state/sessions/\(id)/.image.json.new"))
            #expect(Self.left(other, in: stage.scratch) == before && !before.isEmpty)
        }
    }
}
