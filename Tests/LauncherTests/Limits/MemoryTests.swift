import Foundation
import Glibc
import Policy
import Sandbox
import SessionCore
import Testing
import WorkerControl

@testable import Launcher

@Suite struct MemoryTests {
    static let hasMemoryLimit = Stage.isRoot && Cgroups.detect().controllers.contains("memory")
    static let readsKernelLog = access("/dev/kmsg", R_OK) == 0

    @Test(.enabled(if: hasMemoryLimit)) func aToolThatEatsAllMemoryIsKilledAndTheSessionGoesOn() async throws {
        try await Stage.with(rootless: false) { stage in
            let id = SessionID()
            let start = try stage.scratch.script(
                "start",
                "#!/bin/bash\npython3 -c 'x = bytearray(600 << 20)'; echo $? > /workspace/mark; exec sleep 600\n")
            let session = try await stage.launcher.launch(.plain(id, slot: Stage.slot(), start: start))
            let mark = "state/sessions/\(id)/workspace/mark"
            #expect(await eventually(within: 60) { stage.scratch.text(mark)?.isEmpty == false })
            #expect(stage.scratch.text(mark) == "137\n")
            #expect(runs(session.sandboxPID) && runs(session.workerPID))
            guard
                case .memoryKills(let kills) = try await stage.launcher.ask(
                    .memoryKills(MemoryKillsRequest(sessionID: id, latest: 5)))
            else {
                Issue.record("no answer")
                return
            }
            guard Self.readsKernelLog else { return }
            #expect(kills.count == 1)
            #expect(kills.first?.name == "python3")
            #expect((kills.first?.residentBytes ?? 0) > 128 << 20)
        }
    }

    /// Lowering the score takes a capability that a container's root may lack (capabilities(7)).
    static let lowersScores: Bool = {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        let bits = line.flatMap { UInt64($0.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16) } ?? 0
        return bits & 1 << 24 != 0
    }()

    @Test(.enabled(if: Stage.isRoot)) func theServiceIsTakenLastAndTheSessionFirst() async throws {
        try await Stage.with(rootless: false) { stage in
            let id = SessionID()
            let start = try stage.scratch.script(
                "start", "#!/bin/sh\ncat /proc/self/oom_score_adj > /workspace/mark; exec sleep 600\n")
            let session = try await stage.launcher.launch(.plain(id, slot: Stage.slot(), start: start))
            func score(_ pid: Int32) -> String? {
                (try? String(contentsOfFile: "/proc/\(pid)/oom_score_adj", encoding: .utf8))?.trimmingCharacters(
                    in: .whitespacesAndNewlines)
            }
            if Self.lowersScores {
                #expect(score(session.sandboxPID) == "-1000")
                #expect(score(session.workerPID) == "-500")
                #expect(score(stage.launcher.process.pid) == "-900")
            } else {
                #expect(score(session.sandboxPID) != "500")
                #expect(score(session.workerPID) != "500")
            }
            let mark = "state/sessions/\(id)/workspace/mark"
            #expect(await eventually { stage.scratch.text(mark) == "500\n" })
        }
    }

    @Test(.enabled(if: Stage.isRoot)) func aFrozenSessionIsCleanedAtOnce() async throws {
        try await Stage.with(rootless: false) { stage in
            let id = SessionID()
            let session = try await stage.launcher.launch(
                .plain(id, slot: Stage.slot(), start: try stage.waitingScript()))
            guard
                let freezer = CgroupLeaf(
                    kind: session.cgroups["unified"] == nil ? .v1 : .v2, directories: session.cgroups
                ).freezer
            else { return }
            let file = try freezer.open()
            #expect(pwrite(file.number, freezer.freeze, freezer.freeze.utf8.count, 0) > 0)
            #expect(try await stage.launcher.clean(id))
            #expect(!runs(session.sandboxPID))
            await stage.expectNothingLeft(of: id, directories: true)
        }
    }

    static let log = [
        "6,1,1,-;python3 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=500",
        "6,2,2,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/x/rookery-1/A,"
            + "task_memcg=/x/rookery-1/A,task=a b) c,pid=12,uid=268436456",
        "3,3,3,-;Memory cgroup out of memory: Killed process 12 (a b) c) total-vm:9kB, anon-rss:2kB, file-rss:1kB, "
            + "shmem-rss:4kB, UID:268436456 pgtables:1kB oom_score_adj:500",
        "6,4,4,-;oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/x/rookery-1/B,task_memcg=/x/rookery-1/B,task=node,"
            + "pid=13,uid=1",
        "3,5,5,-;Memory cgroup out of memory: Killed process 13 (node) total-vm:9kB, anon-rss:1024kB",
        "3,6,6,-;Out of memory: Killed process 14 (other) total-vm:9kB, anon-rss:1kB",
    ]

    @Test func theKernelsLogNamesWhatWasKilledInOneSession() {
        #expect(
            KernelLog.memoryKills(in: "/rookery-1/A", of: Self.log) == [
                MemoryKill(name: "a b) c", residentBytes: 7 << 10)
            ])
        #expect(
            KernelLog.memoryKills(in: "/rookery-1/B", of: Self.log) == [
                MemoryKill(name: "node", residentBytes: 1 << 20)
            ])
        #expect(KernelLog.memoryKills(in: "/rookery-1/C", of: Self.log).isEmpty)
    }
}
