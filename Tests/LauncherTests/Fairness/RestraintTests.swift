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
            #expect(Self.processors(of: session) == all)

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

    @Test(
        "a launcher that was killed meanwhile has a successor that lets go",
        .enabled(if: isPossible && Cgroups.detect().kind == .v1))
    func successor() throws {
        let parent = CgroupParent(.detect(), stateDirectory: "/nonexistent/\(SessionID())")
        let name = "\(SessionID())"
        let (leaf, _) = try parent.makeLeaf(name, limits: .standard)
        defer {
            try? parent.leaf(name).end()
            parent.removeIfEmpty()
        }
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sleep")
        process.arguments = ["600"]
        try process.run()
        defer { process.terminate() }
        for directory in leaf.directories.values {
            try "\(process.processIdentifier)".write(
                toFile: "\(directory)/cgroup.procs", atomically: false, encoding: .utf8)
        }
        func group() throws -> String? {
            try String(contentsOfFile: "/proc/\(process.processIdentifier)/cgroup", encoding: .utf8)
                .split(separator: "\n").first { $0.contains(":cpuset:") }.map(String.init)
        }
        let before = try group()
        #expect(ProcessorKeeping(parent).keep(name))
        #expect(try group()?.hasSuffix("/\(name)/kept") == true)
        ProcessorKeeping(parent).letGoOfAll()
        #expect(try group() == before)
        #expect(parent.leaf(name).directories["cpuset"].map { access($0, F_OK) } == -1)
    }
}
