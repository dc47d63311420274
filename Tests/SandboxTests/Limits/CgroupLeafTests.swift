import CLinux
import Foundation
import Glibc
import Policy
import Testing

@testable import Sandbox

/// Real cgroups: of the machine's kind where it lets us, and of the bare v2 hierarchy that hybrid machines have too.
@Suite struct CgroupLeafTests {
    static let here = Cgroups.detect()
    /// A v2 hierarchy without controllers: limits do not hold there, but birth, kill and removal are the real ones.
    static let bareV2: Cgroups? = {
        let entry = MountEntry.all(in: CgroupFile.read("/proc/self/mountinfo") ?? "").first {
            $0.type == "cgroup2" && !$0.isReadOnly && access($0.mountPoint + "/cgroup.procs", W_OK) == 0
        }
        return entry.map { Cgroups(kind: .v2, bases: ["unified": $0.mountPoint], controllers: []) }
    }()
    static let writable = here.kind != .none

    static func parent(_ cgroups: Cgroups) -> CgroupParent { CgroupParent(cgroups, stateDirectory: "/t/\(UUID())") }

    static let limits = ResourceLimits(
        memory: .mebibytes(300), cpuPercent: 50, pids: 20, openFiles: 64, temporary: .mebibytes(1))

    @Test(.enabled(if: writable)) func limitsAreWrittenBeforeAnythingRuns() throws {
        let parent = Self.parent(Self.here)
        let (leaf, report) = try parent.makeLeaf("s1", limits: Self.limits)
        defer { try? leaf.end(); parent.removeIfEmpty() }
        #expect(leaf.members.isEmpty)
        for (name, value) in [("memory", "300MiB"), ("cpu_percent", "50"), ("pids", "20")] {
            let controller = name == "cpu_percent" ? "cpu" : name
            let entry = try #require(report.first { $0.name == name })
            guard Self.here.controllers.contains(controller) else { continue }
            #expect(entry.enforced == value)
            #expect(entry.by == "cgroup-\(Self.here.kind.rawValue)")
        }
        #expect(!leaf.statistics.isEmpty)
        for file in leaf.statistics.values { #expect(CgroupFile.read(file)?.isEmpty == false) }
    }

    @Test(.enabled(if: writable)) func aLeafIsEndedWithWhatRunsInIt() throws {
        let parent = Self.parent(Self.here)
        let (leaf, _) = try parent.makeLeaf("s1", limits: Self.limits)
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/bin/sleep")
        child.arguments = ["600"]
        try child.run()
        if Self.here.kind == .v1 {
            try leaf.place(child.processIdentifier)
        } else if let directory = leaf.directories["unified"] {
            #expect(CgroupFile.write("\(directory)/cgroup.procs", "\(child.processIdentifier)\n") == 0)
        }
        #expect(leaf.members.contains(child.processIdentifier))
        try leaf.end()
        child.waitUntilExit()
        #expect(child.terminationReason == .uncaughtSignal)
        #expect(child.terminationStatus == SIGKILL)
        #expect(!leaf.exists)
        parent.removeIfEmpty()
        for directory in parent.directories.values { #expect(!CgroupFile.exists(directory)) }
        try leaf.end()
    }

    @Test(.enabled(if: writable && here.kind == .v1 && here.bases["freezer"] != nil))
    func aFrozenSessionEndsToo() throws {
        let parent = Self.parent(Self.here)
        let (leaf, _) = try parent.makeLeaf("s1", limits: Self.limits)
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/bin/sleep")
        child.arguments = ["600"]
        try child.run()
        try leaf.place(child.processIdentifier)
        let freezer = try #require(leaf.directories["freezer"])
        #expect(CgroupFile.write("\(freezer)/freezer.state", "FROZEN\n") == 0)
        try leaf.end()
        child.waitUntilExit()
        #expect(child.terminationStatus == SIGKILL)
        parent.removeIfEmpty()
    }

    @Test(.enabled(if: writable)) func aPredecessorsLeafIsReplaced() throws {
        let parent = Self.parent(Self.here)
        _ = try parent.makeLeaf("s1", limits: .standard)
        let (leaf, report) = try parent.makeLeaf("s1", limits: Self.limits)
        defer { try? leaf.end(); parent.removeIfEmpty() }
        if Self.here.controllers.contains("memory") { #expect(report.first?.enforced == "300MiB") }
    }

    @Test(.enabled(if: writable)) func leavesAreListedAndParentsAreApart() throws {
        let (one, other) = (Self.parent(Self.here), Self.parent(Self.here))
        let leaves = try ["a", "b"].map { try one.makeLeaf($0, limits: Self.limits).0 }
        defer { for leaf in leaves { try? leaf.end() }; one.removeIfEmpty() }
        #expect(one.leaves() == ["a", "b"])
        #expect(other.leaves().isEmpty)
    }

    @Test(.enabled(if: writable)) func concurrentMakingAndRemovingDoNotDisturbEachOther() async throws {
        let parent = Self.parent(Self.here)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    for round in 0..<10 {
                        let (leaf, _) = try parent.makeLeaf("s\(worker)-\(round)", limits: Self.limits)
                        try leaf.end()
                        parent.removeIfEmpty()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(parent.leaves().isEmpty)
    }

    @Test func withoutCgroupsTheReportSaysWhatDoesNotHold() throws {
        let (leaf, report) = try Self.parent(.none("no cgroup file system is mounted")).makeLeaf(
            "s", limits: Self.limits)
        #expect(leaf.directories.isEmpty && !leaf.exists)
        let by = Dictionary(uniqueKeysWithValues: report.map { ($0.name, $0.by) })
        #expect(
            by == [
                "memory": "none", "memory_high": "none", "swap": by["swap"], "cpu_percent": "none",
                "cpu_weight": "none", "processors": "kernel", "io_weight": "none", "pids": "rlimit",
            ])
        // Where the machine has no swap at all, that is what holds.
        #expect(["none", "kernel"].contains(by["swap"]))
        #expect(report.first?.enforced == nil)
        #expect(report.first?.note?.contains("no cgroup file system") == true)
        try leaf.end()
    }

    @Test func aBaseThatCannotBeWrittenIsAFaultThatNamesTheStep() {
        let cgroups = Cgroups(kind: .v1, bases: ["memory": "/proc/self"], controllers: ["memory"])
        let fault = #expect(throws: CgroupFault.self) {
            try Self.parent(cgroups).makeLeaf("s", limits: Self.limits)
        }
        #expect(fault?.step == "cgroup memory")
        #expect(fault?.errno != 0 && fault?.remedy.isEmpty == false)
    }

    @Test(.enabled(if: writable)) func aProcessIsBornInEveryHierarchyOfItsLeaf() throws {
        let parent = Self.parent(Self.here)
        let (leaf, _) = try parent.makeLeaf("s1", limits: Self.limits)
        defer { try? leaf.end(); parent.removeIfEmpty() }
        var spawn = Spawn(program: try Spawn.open(program: "/bin/sleep"), arguments: ["sleep", "600"])
        spawn.namespaces = UInt64(RK_NEW_USER | RK_NEW_PID)
        spawn.cgroup = try leaf.entrance()
        let child = try spawn.start()
        let groups = CgroupFile.read("/proc/\(child.pid)/cgroup") ?? ""
        for controller in leaf.directories.keys where controller != "unified" {
            let line = groups.split(separator: "\n").first {
                $0.split(separator: ":")[1].split(separator: ",").contains(Substring(controller))
            }
            #expect(line?.hasSuffix("/\(parent.name)/s1") == true, "\(controller): \(line ?? "not there")")
        }
        #expect(leaf.members == [child.pid])
        try leaf.end()
        _ = try child.waitForExit()
    }

    @Test func aCgroupThatIsGoneIsToldByTheSpawn() throws {
        let (read, write) = try DescriptorMessages.pipe()
        withExtendedLifetime(write) {
            var spawn = Spawn(program: read, arguments: ["true"])
            spawn.cgroup = CgroupEntrance(tasks: [read])
            let error = #expect(throws: SpawnError.self) { try spawn.start() }
            #expect(error?.stage == "cgroup" && error?.errno == EBADF)
        }
    }

    @Test(.enabled(if: bareV2 != nil)) func killAndRemovalOnV2() throws {
        let parent = Self.parent(try #require(Self.bareV2))
        let (leaf, report) = try parent.makeLeaf("s1", limits: Self.limits)
        defer { try? leaf.end(); parent.removeIfEmpty() }
        #expect(report.first?.by == "none")
        #expect(try leaf.entrance()?.directory != nil)
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/bin/sleep")
        child.arguments = ["600"]
        try child.run()
        let path = try #require(leaf.directories["unified"])
        #expect(CgroupFile.write("\(path)/cgroup.procs", "\(child.processIdentifier)\n") == 0)
        #expect(CgroupFile.write("\(path)/cgroup.freeze", "1\n") == 0)
        try leaf.end()
        child.waitUntilExit()
        #expect(child.terminationStatus == SIGKILL)
        #expect(!leaf.exists)
    }
}

extension CgroupLeaf {
    /// Moves a process that another way of starting made.
    func place(_ pid: pid_t) throws {
        for directory in Set(directories.values) {
            try #require(CgroupFile.write("\(directory)/cgroup.procs", "\(pid)\n") == 0)
        }
    }
}
