import Foundation
import Glibc
import Sandbox
import SessionCore
import Testing
import WorkerControl

/// One launcher in its own directories, with everything it started ended afterwards.
struct Stage {
    let scratch: Scratch
    let launcher: RunningLauncher

    /// Uid range slots that no two tests of a run share.
    static func slot() -> Int { Int.random(in: 100..<20_000) }

    /// The uid of the service in root mode and of everything rootless.
    static let service: UInt32 = geteuid() == 0 ? 65_534 : geteuid()
    static let isRoot = geteuid() == 0

    static func with(
        rootless: Bool, worker: StandInWorker? = .good, _ body: (Stage) async throws -> Void
    ) async throws {
        let scratch = try Scratch(owner: service)
        defer { scratch.remove() }
        try scratch.install(Products.path("rookery-init"), as: "rookery-init")
        if let worker {
            try worker.install(in: scratch)
        } else {
            try scratch.install(Products.path("rookery-worker"), as: "rookery-worker")
        }
        let launcher = try RunningLauncher(scratch, rootless ? .rootless(uid: service) : .root(service: service))
        let stage = Stage(scratch: scratch, launcher: launcher)
        do {
            try await body(stage)
            _ = try? await launcher.ask(.sweep(SweepRequest(live: [])))
        } catch {
            _ = try? await launcher.ask(.sweep(SweepRequest(live: [])))
            _ = await launcher.stop()
            throw error
        }
        _ = await launcher.stop()
    }

    /// The parent cgroups of this stage that are there.
    var cgroups: [String] {
        let parent = CgroupParent(.detect(of: launcher.process.pid), stateDirectory: "\(scratch.path)/state")
        return parent.directories.values.filter { access($0, F_OK) == 0 }
    }

    /// After a failure, or a clean: no process, cgroup, mount, socket or note of a session is left.
    func expectNothingLeft(of id: SessionID, directories: Bool, at location: SourceLocation = #_sourceLocation) async {
        let gone = await eventually { launcher.children.isEmpty }
        #expect(gone, "children left: \(launcher.children)", sourceLocation: location)
        #expect(cgroups.isEmpty, sourceLocation: location)
        #expect(!launcher.mounts.contains(scratch.path), sourceLocation: location)
        #expect(!scratch.exists("run/w/\(id)"), sourceLocation: location)
        #expect(!scratch.exists("run/launcher/\(id).json"), sourceLocation: location)
        #expect(scratch.exists("state/sessions/\(id)") == directories, sourceLocation: location)
    }

    /// A start command that leaves its mark and waits.
    func waitingScript() throws -> String {
        try scratch.script(
            "start",
            "#!/bin/sh\necho \"$(id -u) $(pwd) $HOME\" > /workspace/mark\necho home > /home/agent/mark\nexec sleep 600\n"
        )
    }
}
