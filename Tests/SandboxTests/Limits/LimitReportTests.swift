import Foundation
import Glibc
import Policy
import Testing

@testable import Sandbox

/// What is written to a cgroup and what is said of it, against files in a directory: no machine has every kind.
@Suite struct LimitReportTests {
    /// A cgroup made of plain files, which hold what is written to them.
    final class PlainCgroup {
        let directory: String
        init(_ files: [String: String]) throws {
            directory = "/tmp/rkc-\(UUID().uuidString.prefix(8))"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            for (name, text) in files {
                try text.write(toFile: "\(directory)/\(name)", atomically: false, encoding: .utf8)
            }
        }
        deinit { try? FileManager.default.removeItem(atPath: directory) }
        func text(_ name: String) -> String? {
            (try? String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8))?.trimmingCharacters(
                in: .whitespacesAndNewlines)
        }
    }

    static let limits = ResourceLimits(
        memory: .gibibytes(1), memoryHigh: .mebibytes(900), swap: .mebibytes(64), cpuPercent: 150, cpuWeight: 200,
        pids: 99, openFiles: 64, temporary: .mebibytes(1), ioWeight: 50)

    static func report(
        _ kind: Cgroups.Kind, _ directories: [String: String], bfq: Bool = false, costs: Bool = false
    ) throws -> [String: EnforcedLimit] {
        let leaf = CgroupLeaf(kind: kind, directories: directories)
        try CgroupValues.write(limits, to: leaf)
        let cgroups = Cgroups(kind: kind, bases: directories, controllers: ["memory", "cpu", "pids"])
        let report = LimitReport.cgroup(
            limits, cgroups: cgroups, leaf: leaf, scheduling: IOScheduling(usesBFQ: bfq, usesCosts: costs),
            available: ProcessorList(0..<4))
        // Processors have tests of their own.
        return Dictionary(uniqueKeysWithValues: report.filter { $0.name != "processors" }.map { ($0.name, $0) })
    }

    @Test func everyLimitIsWrittenToVersion2AndReadBack() throws {
        let files = [
            "memory.max", "memory.high", "memory.swap.max", "memory.oom.group", "cpu.max", "cpu.weight", "pids.max",
            "io.weight",
        ]
        let cgroup = try PlainCgroup(Dictionary(uniqueKeysWithValues: files.map { ($0, "") }))
        let report = try Self.report(.v2, ["unified": cgroup.directory], costs: true)
        #expect(cgroup.text("memory.oom.group") == "0")
        #expect(cgroup.text("cpu.max") == "150000 100000")
        #expect(cgroup.text("io.weight") == "default 50")
        let held = report.mapValues(\.enforced)
        #expect(
            held == [
                "memory": "1GiB", "memory_high": "900MiB", "swap": "64MiB", "cpu_percent": "150", "cpu_weight": "200",
                "pids": "99", "io_weight": "50",
            ])
        #expect(report.values.allSatisfy { $0.by == "cgroup-v2" && $0.note == nil })
    }

    @Test func everyLimitIsWrittenToVersion1AndReadBack() throws {
        let memory = try PlainCgroup([
            "memory.limit_in_bytes": "", "memory.memsw.limit_in_bytes": "", "memory.soft_limit_in_bytes": "",
        ])
        let cpu = try PlainCgroup(["cpu.cfs_period_us": "", "cpu.cfs_quota_us": "", "cpu.shares": ""])
        let pids = try PlainCgroup(["pids.max": ""])
        let blkio = try PlainCgroup(["blkio.bfq.weight": ""])
        let report = try Self.report(
            .v1,
            [
                "memory": memory.directory, "cpu": cpu.directory, "pids": pids.directory, "blkio": blkio.directory,
            ], bfq: true)
        #expect(memory.text("memory.memsw.limit_in_bytes") == "\((1024 + 64) << 20)")
        #expect(cpu.text("cpu.shares") == "2048")
        #expect(
            report.mapValues(\.enforced) == [
                "memory": "1GiB", "memory_high": "900MiB", "swap": "64MiB", "cpu_percent": "150", "cpu_weight": "200",
                "pids": "99", "io_weight": "50",
            ])
        #expect(report["memory_high"]?.note?.contains("cannot slow") == true)
    }

    @Test func aWeightThatNoDiskHeedsIsNotClaimed() throws {
        let blkio = try PlainCgroup(["blkio.bfq.weight": ""])
        let entry = try #require(try Self.report(.v1, ["blkio": blkio.directory])["io_weight"])
        #expect(entry.enforced == nil && entry.by == "none")
        #expect(entry.note?.contains("bfq") == true)
    }

    @Test(arguments: [1, 10, 50, 100, 101, 200, 1000, 5000, 10_000])
    func weightsKeepTheirPlaceOnTheOtherScale(_ weight: Int) {
        #expect(CPUShares.weight(of: CPUShares.shares(of: weight)).distance(to: weight).magnitude <= 1)
        #expect((1...1000).contains(BFQWeight.bfq(of: weight)))
        #expect(BFQWeight.weight(of: BFQWeight.bfq(of: weight)).distance(to: weight).magnitude <= 11)
    }

    @Test func theInsideIsReadFromProc() {
        let text = """
            Limit                     Soft Limit           Hard Limit           Units
            Max file size             5368709120           5368709120           bytes
            Max open files            4096                 4096                 files
            Max core file size        0                    unlimited            bytes
            """
        let inside = InsideLimits(text)
        #expect(inside.openFiles == 4096)
        #expect(inside.fileSize == 5_368_709_120)
        #expect(InsideLimits("Max file size             unlimited            unlimited").fileSize == nil)
    }

    @Test func theReportHasEveryNameOnceInThePolicysOrder() {
        let leaf = CgroupLeaf(kind: .none, directories: [:])
        let report = LimitReport.ordered(
            LimitReport.disk(Self.limits, notEnforced: "no disk")
                + LimitReport.inside(Self.limits, nil)
                + LimitReport.cgroup(Self.limits, cgroups: .none("no cgroups"), leaf: leaf))
        #expect(report.map(\.name) == ResourceLimits.names)
        // What the policy does not set is not missing.
        #expect(report.first { $0.name == "disk" }?.asked == "none")
    }

    struct Requirement: CustomTestStringConvertible {
        var testDescription: String
        var required: Set<String>
        var unmet: String?
    }

    @Test(arguments: [
        Requirement(testDescription: "nothing", required: [], unmet: nil),
        Requirement(testDescription: "what holds", required: ["memory", "pids"], unmet: nil),
        Requirement(testDescription: "what holds tighter", required: ["swap"], unmet: nil),
        Requirement(testDescription: "what does not hold", required: ["memory", "disk"], unmet: "disk"),
        Requirement(testDescription: "what holds weaker", required: ["temporary"], unmet: "temporary"),
        Requirement(testDescription: "a weight of another scale", required: ["cpu_weight"], unmet: nil),
        Requirement(testDescription: "a few inodes more", required: ["inodes"], unmet: nil),
        Requirement(testDescription: "an unwritten bound as the kernel rounds it", required: ["unwritten"], unmet: nil),
        Requirement(testDescription: "all processors but one", required: ["processors"], unmet: nil),
        Requirement(testDescription: "a name nobody knows", required: ["luck"], unmet: "luck"),
        Requirement(testDescription: "what is checked where it is set up", required: ["landlock"], unmet: nil),
    ])
    func requirements(_ one: Requirement) {
        let report = [
            EnforcedLimit(name: "memory", asked: "2GiB", enforced: "2GiB", by: "cgroup-v1"),
            EnforcedLimit(name: "pids", asked: "512", enforced: "512", by: "rlimit"),
            EnforcedLimit(name: "swap", asked: "1GiB", enforced: "0", by: "kernel"),
            EnforcedLimit(name: "disk", asked: "5GiB", enforced: nil, by: "none", note: "no loop devices"),
            EnforcedLimit(name: "temporary", asked: "1MiB", enforced: "2MiB", by: "tmpfs"),
            EnforcedLimit(name: "cpu_weight", asked: "100", enforced: "101", by: "cgroup-v1"),
            EnforcedLimit(name: "inodes", asked: "1000", enforced: "1024", by: "loop-image"),
            EnforcedLimit(name: "unwritten", asked: "2MiB", enforced: "2101248", by: "loop-image"),
            EnforcedLimit(name: "processors", asked: "all-but-one", enforced: "3", by: "cgroup-v1"),
        ]
        let unmet = UnmetRequirement.first(of: one.required, in: report)
        #expect(unmet?.name == one.unmet)
        #expect(unmet?.reason.isEmpty != true)
    }
}
