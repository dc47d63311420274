import Foundation
import Glibc
import Images
import Policy
import Sandbox
import SessionCore
import Testing
import WorkerControl

/// Built images under the real launcher. All of it needs root.
@Suite(.enabled(if: Stage.isRoot)) struct ImageLaunchTests {
    /// A session of an image that runs a script, which ends with a sleep.
    static func request(
        _ id: SessionID = SessionID(), slot: Int, image: String, overlay: Bool = false, script: String, in stage: Stage
    ) throws -> LaunchRequest {
        let start = try stage.scratch.script(
            "start-\(UUID().uuidString.prefix(8))", "#!/bin/sh\n\(script)\n: > /workspace/done\nexec sleep 600\n")
        var request = LaunchRequest.plain(id, slot: slot, start: start)
        request.rules.image = image
        request.rules.system = overlay ? .overlay : .readOnly
        return request
    }

    /// Runs a session's script to its end, and returns a file that it left in its workspace.
    static func output(of request: LaunchRequest, file: String = "out", in stage: Stage) async throws -> String {
        let workspace = "state/sessions/\(request.sessionID)/workspace"
        unlink("\(stage.scratch.path)/\(workspace)/done")
        _ = try await stage.launcher.launch(request)
        #expect(await eventually { stage.scratch.exists("\(workspace)/done") })
        return stage.scratch.text("\(workspace)/\(file)") ?? ""
    }

    static func with(_ body: (Stage) async throws -> Void) async throws {
        try await Stage.with(rootless: false) { stage in try await body(stage) }
    }

    @Test func twoSessionsShareOneDeviceAndOneFilesystem() async throws {
        try await Self.with { stage in
            let manifest = try TinyImage.make("tiny", says: "one", in: stage.scratch)
            var found: Set<String> = []
            var ids: [SessionID] = []
            for _ in 0..<2 {
                let request = try Self.request(
                    slot: Stage.slot(), image: "tiny",
                    script: "stat -c '%d %i %u' /usr/share/mark > /workspace/out", in: stage)
                ids.append(request.sessionID)
                found.insert(try await Self.output(of: request, in: stage))
            }
            // The same inode of the same filesystem: one copy in memory. Owned by root, as the image says.
            #expect(found.count == 1)
            #expect(found.first?.hasSuffix(" 0\n") == true, "\(found)")
            let store = TinyImage.store(in: stage.scratch)
            let blob = "\(store.directory)/blobs/\(manifest.digest.fileName)"
            #expect(loopDevices(of: blob).count == 1)
            // Mounted: not collected, even when nothing names it any more.
            try store.remove("tiny")
            #expect(try store.collect(keeping: []).isEmpty)
            for id in ids { #expect(try await stage.launcher.clean(id)) }
            _ = await stage.launcher.stop()
            #expect(await eventually { loopDevices(of: blob).isEmpty })
            #expect(try store.collect(keeping: []).count == 1)
        }
    }

    @Test func whatASessionChangesOfItsSystemIsItsOwnAndStays() async throws {
        try await Self.with { stage in
            let manifest = try TinyImage.make("tiny", says: "one", in: stage.scratch)
            let slot = Stage.slot()
            let id = SessionID()
            let change = """
                echo changed > /usr/share/mark; mkdir /opt/tool; echo new > /opt/tool/file; rm /usr/bin/touch
                echo more > /etc/more; echo x >> /etc/passwd; mv /etc/hosts /etc/hosts.old
                echo x > /etc/claude-code/managed-settings.d; cat /etc/passwd > /workspace/passwd
                """
            let look = """
                cat /usr/share/mark /opt/tool/file /etc/more > /workspace/out
                ls /usr/bin/touch /etc/claude-code > /workspace/list 2>&1
                ls /run/rookery/image /run/rookery/overlay > /workspace/run
                """
            let first = try Self.request(id, slot: slot, image: "tiny", overlay: true, script: change, in: stage)
            let passwords = try await Self.output(of: first, file: "passwd", in: stage)
            #expect(passwords.contains("agent:x:1000") && !passwords.contains("\nx"))
            #expect(try await stage.launcher.clean(id))

            var again = try Self.request(id, slot: slot, image: "tiny", overlay: true, script: look, in: stage)
            again.managedSettings = "{}"
            #expect(try await Self.output(of: again, in: stage) == "changed\nnew\nmore\n")
            let workspace = "state/sessions/\(id)/workspace"
            let list = stage.scratch.text("\(workspace)/list") ?? ""
            #expect(list.contains("No such file") && list.contains("managed-settings.json"), "\(list)")
            #expect(!list.contains("managed-settings.d"), "\(list)")
            // What it is made from is not there to be reached.
            #expect(stage.scratch.text("\(workspace)/run") == "/run/rookery/image:\n\n/run/rookery/overlay:\n")

            let other = try Self.request(
                slot: Stage.slot(), image: "tiny", overlay: true,
                script: "cat /usr/share/mark /opt/tool/file > /workspace/out 2>/workspace/err", in: stage)
            #expect(try await Self.output(of: other, in: stage) == "one")
            #expect(throws: Never.self) { try TinyImage.store(in: stage.scratch).verify(manifest.digest) }

            let tenant = UInt32(0x1000_0000 + 65_536 * slot + 1000)
            #expect(stage.scratch.status("state/sessions/\(id)/overlay")?.st_uid == tenant)
            for session in [id, other.sessionID] {
                #expect(try await stage.launcher.clean(session))
                _ = try await stage.launcher.ask(.remove(RemoveRequest(sessionID: session, keepWorkspace: false)))
                #expect(!stage.scratch.exists("state/sessions/\(session)"))
            }
        }
    }

    @Test func theHostsSystemCanBeChangedForOneSessionToo() async throws {
        try await Self.with { stage in
            let id = SessionID()
            let slot = Stage.slot()
            let mark = "rookery-\(id)"
            let change = "echo mine > /usr/local/bin/\(mark); mkdir /opt/\(mark) && touch /usr/share/\(mark)"
            let look = """
                cat /usr/local/bin/\(mark) > /workspace/out; ls -d /opt/\(mark) /usr/share/\(mark) >> /workspace/out
                """
            var request = try Self.request(id, slot: slot, image: "host", overlay: true, script: change, in: stage)
            request.claudeBinary = "/bin/true"
            _ = try await Self.output(of: request, in: stage)
            #expect(try await stage.launcher.clean(id))
            for path in ["/usr/local/bin", "/opt", "/usr/share"] { #expect(access("\(path)/\(mark)", F_OK) != 0) }
            request = try Self.request(id, slot: slot, image: "host", overlay: true, script: look, in: stage)
            request.claudeBinary = "/bin/true"
            #expect(try await Self.output(of: request, in: stage) == "mine\n/opt/\(mark)\n/usr/share/\(mark)\n")
            #expect(try await stage.launcher.clean(id))
        }
    }

    @Test func aSessionStaysWithTheBlobThatItBeganWith() async throws {
        try await Self.with { stage in
            let store = TinyImage.store(in: stage.scratch)
            let old = try TinyImage.make("tiny", says: "old", in: stage.scratch)
            let id = SessionID()
            let slot = Stage.slot()
            let script = "cat /usr/share/mark > /workspace/out"
            let request = try Self.request(id, slot: slot, image: "tiny", script: script, in: stage)
            #expect(try await Self.output(of: request, in: stage) == "old")
            #expect(try await stage.launcher.clean(id))
            try TinyImage.make("tiny", says: "new", in: stage.scratch)
            #expect(try await Self.output(of: request, in: stage) == "old")
            #expect(try await stage.launcher.clean(id))
            let fresh = try Self.request(slot: Stage.slot(), image: "tiny", script: script, in: stage)
            #expect(try await Self.output(of: fresh, in: stage) == "new")

            let notes = ImageNote.all(in: "\(stage.scratch.path)/state/sessions")
            #expect(notes[id.description] == ImageNote(name: "tiny", digest: old.digest))
            #expect(try store.collect(keeping: Set(notes.values.map(\.digest))).isEmpty)
            // Once its blob has gone, it goes on with what the name stands for by then.
            unlink("\(store.directory)/blobs/\(old.digest.fileName)")
            #expect(try await Self.output(of: request, in: stage) == "new")
        }
    }

    @Test func whatCannotBeTrustedIsNotMounted() async throws {
        try await Self.with { stage in
            let store = TinyImage.store(in: stage.scratch)
            func step(_ image: String) async throws -> LaunchFailure? {
                let request = try Self.request(slot: Stage.slot(), image: image, script: "", in: stage)
                let failure = try await stage.launcher.failure(.launch(request))
                await stage.expectNothingLeft(of: request.sessionID, directories: false)
                return failure
            }
            let unknown = try await step("nonesuch")
            #expect(unknown?.step == "image" && unknown?.remedy.contains("there are host") == true)
            #expect(try await step("../tiny")?.step == "check image")

            let damaged = try TinyImage.make("damaged", says: "one", in: stage.scratch)
            let blob = "\(store.directory)/blobs/\(damaged.digest.fileName)"
            chmod(blob, 0o644)
            let file = try FileHandle(forUpdating: URL(filePath: blob))
            try file.seek(toOffset: 4096)
            try file.write(contentsOf: Data([0, 1, 2, 3]))
            try file.close()
            let refused = try await step("damaged")
            #expect(
                refused?.step == "image" && refused?.message.contains("damaged") == true,
                "\(String(describing: refused))")
            #expect(await eventually { loopDevices(of: blob).isEmpty })

            let strangers = try TinyImage.make("strangers", says: "two", in: stage.scratch)
            chown("\(store.directory)/blobs/\(strangers.digest.fileName)", Stage.service, Stage.service)
            #expect(try await step("strangers")?.errno == EPERM)

            let notOne = "\(store.directory)/.not-one"
            try Data(repeating: 7, count: 1 << 16).write(to: URL(filePath: notOne))
            _ = try store.add(blob: notOne) { digest, size in
                ImageManifest(name: "garbage", digest: digest, size: size, builtAt: Date())
            }
            #expect(try await step("garbage")?.step == "image")
        }
    }
}

@Suite struct RootlessImageTests {
    @Test(
        "rootless says what cannot be",
        arguments: [("tiny", SystemAccess.readOnly, "image"), ("host", .overlay, "overlay")])
    func rootless(image: String, system: SystemAccess, step: String) async throws {
        try await Stage.with(rootless: true) { stage in
            var request = LaunchRequest.plain(slot: 0, start: try stage.waitingScript())
            request.rules.image = image
            request.rules.system = system
            let failure = try await stage.launcher.failure(.launch(request))
            #expect(failure?.step == step, "\(String(describing: failure))")
            #expect(failure?.remedy.isEmpty == false)
            await stage.expectNothingLeft(of: request.sessionID, directories: false)
        }
    }
}
