import Foundation
import Glibc
import Policy
import Sandbox
import SessionCore
import Testing
import WorkerControl

@testable import Launcher

@Suite struct RestraintTests {
    static let isPossible =
        DiskTests.isPossible && ProcessorTests.isPossible
        && ProcessInfo.processInfo.activeProcessorCount > 1 && access("/sys/class/bdi", F_OK) == 0

    /// Copies nothing to nowhere, all of it in the kernel, until it is told that it is enough.
    private static let hold = """
        #!/bin/bash
        while [ ! -e /workspace/enough ]; do dd if=/dev/zero of=/dev/null bs=1M count=500 2>/dev/null; done
        exec sleep 600
        """

    private static func processors(of session: LaunchedSession) -> String? {
        let status = try? String(contentsOfFile: "/proc/\(session.sandboxPID)/status", encoding: .utf8)
        return status?.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
            .map { $0.dropFirst("Cpus_allowed_list:".count).trimmingCharacters(in: .whitespaces) }
    }

    @Test(
        "a session that keeps a processor in the kernel has half of them and waits for its disk, and calm it has them all",
        .enabled(if: isPossible))
    func restrained() async throws {
        try await Stage.with(rootless: false) { stage in
            let (quiet, holder, bound) = (SessionID(), SessionID(), SessionID())
            let calm = try await stage.launcher.launch(
                .plain(quiet, slot: Stage.slot(), start: try stage.waitingScript()))
            let start = try stage.scratch.script("hold", Self.hold)
            let session = try await stage.launcher.launch(DiskTests.request(holder, slot: Stage.slot(), start: start))
            // Its policy says where it runs and how it writes.
            var request = DiskTests.request(bound, slot: Stage.slot(), start: start)
            request.rules.limits.processors = .upTo(1)
            request.rules.limits.unwritten = .mebibytes(8)
            let other = try await stage.launcher.launch(request)
            let (all, chosen) = (Self.processors(of: calm), Self.processors(of: other))

            #expect(await eventually { Self.processors(of: session) != all })
            let disks = try Directory(at: "\(stage.scratch.path)/state/disks")
            let device = try #require(WriteBound(of: holder, in: disks))
            #expect(await eventually { device.bytes.map { (900 << 10...1 << 20).contains($0) } == true })
            #expect(Self.processors(of: calm) == all && Self.processors(of: other) == chosen)
            #expect(try #require(WriteBound(of: bound, in: disks)?.bytes) > 7 << 20)

            let enough = DiskTests.inside(session, "workspace/enough")
            #expect(FileManager.default.createFile(atPath: enough, contents: nil))
            #expect(await eventually { Self.processors(of: session) == all })
            for id in [quiet, holder, bound] { #expect(try await stage.launcher.clean(id)) }
            #expect(await eventually { device.bytes == nil })
        }
    }

    @Test("a launcher that was killed meanwhile has a successor that lets go", .enabled(if: isPossible))
    func successor() async throws {
        try await Stage.with(rootless: false) { stage in
            let (holder, quiet, bound) = (SessionID(), SessionID(), SessionID())
            let start = try stage.scratch.script("hold", Self.hold)
            let session = try await stage.launcher.launch(DiskTests.request(holder, slot: Stage.slot(), start: start))
            let wait = try stage.waitingScript()
            let calm = try await stage.launcher.launch(.plain(quiet, slot: Stage.slot(), start: wait))
            var request = DiskTests.request(bound, slot: Stage.slot(), start: wait)
            request.rules.limits.processors = .upTo(1)
            request.rules.limits.unwritten = .mebibytes(1)
            let other = try await stage.launcher.launch(request)
            let (all, chosen) = (Self.processors(of: calm), Self.processors(of: other))
            let disks = try Directory(at: "\(stage.scratch.path)/state/disks")
            let device = try #require(WriteBound(of: holder, in: disks))
            let policys = try #require(WriteBound(of: bound, in: disks))
            #expect(await eventually { device.bytes != nil && Self.processors(of: session) != all })

            stage.launcher.kill()
            let enough = DiskTests.inside(session, "workspace/enough")
            #expect(FileManager.default.createFile(atPath: enough, contents: nil))
            let next = try RunningLauncher(stage.scratch, .root(service: Stage.service))
            #expect(await eventually { device.bytes == nil && Self.processors(of: session) == all })
            #expect(policys.bytes != nil && Self.processors(of: other) == chosen)
            _ = try await next.ask(.sweep(SweepRequest(live: [])))
            _ = await next.stop()
        }
    }

    @Test("what is restrained is noted, and a note that cannot be read says nothing")
    func note() throws {
        let scratch = try Scratch(owner: geteuid())
        defer { scratch.remove() }
        let records = try Directory(at: scratch.path)
        #expect(RestraintNote.read(in: records) == RestraintNote())
        let note = RestraintNote(kept: ["a", "b"], slowed: ["b"])
        #expect(note.write(in: records))
        #expect(RestraintNote.read(in: records) == note)
        try Data("{".utf8).write(to: URL(filePath: "\(scratch.path)/restraint.note"))
        #expect(RestraintNote.read(in: records) == RestraintNote())
    }
}
