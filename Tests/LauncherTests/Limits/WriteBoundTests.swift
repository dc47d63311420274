import Foundation
import Glibc
import Policy
import Sandbox
import SessionCore
import Testing
import WorkerControl

@testable import Launcher

/// How much may be unwritten: with real loop devices, and with files that stand for what a kernel has.
@Suite struct WriteBoundTests {
    static let isPossible = DiskTests.isPossible && access("/sys/block/loop0/bdi/max_bytes", W_OK) == 0

    /// The loop device that has a session's image.
    static func device(of id: SessionID) -> String? {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/sys/block")) ?? []).map { "/sys/block/\($0)" }
            .first { DiskTests.text("\($0)/loop/backing_file")?.contains(id.description) == true }
    }

    static func value(_ path: String) -> String? { DiskTests.text(path)?.filter { !$0.isWhitespace } }

    static let write = """
        #!/bin/bash
        head -c 16M /dev/zero > /workspace/big; echo "$? $(stat -c %s /workspace/big)" > /workspace/mark
        exec sleep 600
        """

    @Test(.enabled(if: isPossible)) func theKernelHoldsItAndAWriteBeyondItSucceeds() async throws {
        try await Stage.with(rootless: false) { stage in
            let id = SessionID()
            var request = DiskTests.request(
                id, slot: Stage.slot(), start: try stage.scratch.script("start", Self.write))
            request.rules.limits.unwritten = .mebibytes(1)
            request.rules.required = ["unwritten"]
            let session = try await stage.launcher.launch(request)
            let limit = try #require(session.limits.first { $0.name == "unwritten" })
            #expect(limit.asked == "1MiB" && limit.by == "loop-image")
            let held = try #require(limit.enforced.flatMap { ByteSize(parsing: $0) })
            #expect((1000 << 10...1025 << 10).contains(held.bytes), "\(held)")

            let device = try #require(Self.device(of: id))
            #expect(Self.value("\(device)/bdi/strict_limit") == "1")
            let bytes = Int(Self.value("\(device)/bdi/max_bytes") ?? "") ?? 0
            #expect((900 << 10...1152 << 10).contains(bytes), "\(bytes)")
            let mark = DiskTests.inside(session, "workspace/mark")
            #expect(await eventually { DiskTests.text(mark)?.hasSuffix("\n") == true })
            #expect(DiskTests.text(mark) == "0 \(16 << 20)\n")

            // The device is as it was for whoever gets it next.
            #expect(try await stage.launcher.clean(id))
            #expect(await eventually { DiskTests.devices(of: id) == 0 })
            _ = try await stage.launcher.clean(id)
            let isLifted =
                Self.value("\(device)/bdi/strict_limit") == "0"
                || FileManager.default.fileExists(atPath: "\(device)/loop/backing_file")
            #expect(isLifted)

            // Without the limit another start has none, on whatever device.
            request.rules.limits.unwritten = nil
            request.rules.required = []
            let again = try await stage.launcher.launch(request)
            let none = try #require(again.limits.first { $0.name == "unwritten" })
            #expect(none.asked == "none" && none.enforced == nil && none.by == "none")
            let next = try #require(Self.device(of: id))
            #expect(Self.value("\(next)/bdi/strict_limit") == "0")
            #expect(try await stage.launcher.clean(id))
        }
    }

    @Test func rootlessSaysThatNothingHoldsItAndRefusesWhereItMust() async throws {
        try await Stage.with(rootless: true) { stage in
            let id = SessionID()
            var request = DiskTests.request(id, slot: Stage.slot(), start: try stage.waitingScript())
            request.rules.limits.unwritten = .mebibytes(2)
            let session = try await stage.launcher.launch(request)
            let limit = try #require(session.limits.first { $0.name == "unwritten" })
            #expect(limit.asked == "2MiB" && limit.enforced == nil && limit.by == "none")
            #expect(limit.note?.contains("rootless") == true)
            #expect(try await stage.launcher.clean(id))
            request.sessionID = SessionID()
            request.rules.required = ["unwritten"]
            #expect(try await stage.launcher.failure(.launch(request))?.step == "require unwritten")
        }
    }

    @Test(.enabled(if: isPossible)) func aCommandByHandHasItAndLeavesNoBoundBehind() async throws {
        let runs = SandboxRunTests()
        try await runs.with(rootless: false) { scratch in
            try scratch.installPolicies()
            let policy =
                "version: 1\nextends: default\nlimits:\n  disk: 24MiB\n  unwritten: 1MiB\nrequire: [unwritten]\n"
            try policy.write(toFile: "\(scratch.path)/Policies/slow.yaml", atomically: true, encoding: .utf8)
            let slow = ["--policies", "\(scratch.path)/Policies", "--policy", "slow"]
            let outcome = try await runs.run(
                slow + ["--", "sh", "-c", "head -c 16M /dev/zero >big && stat -c %s big"], rootless: false, in: scratch)
            #expect(outcome.output == "\(16 << 20)\n", "\(outcome.errors)")
            let explanation = try await runs.run(slow + ["--explain", "--", "true"], rootless: false, in: scratch)
            #expect(explanation.output.contains("limit unwritten: asked 1MiB, enforced 1"), "\(explanation.output)")
        }
    }

    /// What a loop device has in /sys, in a directory of the test's.
    final class PlainDevice {
        let blocks = "/tmp/rkb-\(UUID().uuidString.prefix(8))"
        init(_ files: [String: String]) throws {
            for (name, text) in files {
                let path = "\(blocks)/loop3/\(name)"
                try FileManager.default.createDirectory(
                    atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
                try text.write(toFile: path, atomically: false, encoding: .utf8)
            }
        }
        deinit { try? FileManager.default.removeItem(atPath: blocks) }
        func text(_ name: String) -> String? { WriteBoundTests.value("\(blocks)/loop3/\(name)") }
    }

    @Test func whatAKernelLacksIsSaid() throws {
        let older = try PlainDevice(["bdi/max_ratio": "100"])
        #expect(WriteBound(loop: 3, in: older.blocks).set(.mebibytes(2))?.contains("Linux 6.2") == true)
        #expect(WriteBound(loop: 3, in: older.blocks).bytes == nil)
        let buffered = try PlainDevice(["bdi/max_bytes": "100", "bdi/strict_limit": "0", "loop/dio": "0\n"])
        #expect(WriteBound(loop: 3, in: buffered.blocks).set(.mebibytes(2))?.contains("direct I/O") == true)
        #expect(buffered.text("bdi/strict_limit") == "0")
        let none = WriteBound(loop: 4, in: older.blocks)
        #expect(none.set(.mebibytes(2)) != nil && none.set(nil) == nil)
    }

    @Test func aBoundIsSetReadBackAndLiftedOnceNothingUsesItsDevice() throws {
        let device = try PlainDevice([
            "bdi/max_bytes": "", "bdi/strict_limit": "", "bdi/max_ratio": "", "loop/dio": "1",
            "loop/backing_file": "/a",
        ])
        let bound = WriteBound(loop: 3, in: device.blocks)
        #expect(bound.set(.mebibytes(2)) == nil)
        #expect(bound.bytes == 2 << 20)
        WriteBound.liftUnused(in: device.blocks)
        #expect(device.text("bdi/strict_limit") == "1")
        #expect(unlink("\(device.blocks)/loop3/loop/backing_file") == 0)
        WriteBound.liftUnused(in: device.blocks)
        #expect(device.text("bdi/strict_limit") == "0" && device.text("bdi/max_ratio") == "100")
        #expect(bound.bytes == nil)
    }
}
