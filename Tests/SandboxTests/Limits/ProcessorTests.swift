import Foundation
import Glibc
import Policy
import Testing

@testable import Sandbox

/// On which processors sessions run.
@Suite struct ProcessorTests {
    @Test(
        "lists as the kernel writes them",
        arguments: [
            ("0-3", [0, 1, 2, 3], "0-3"), ("0\n", [0], "0"), ("1,0", [0, 1], "0-1"),
            ("0,2-3,5", [0, 2, 3, 5], "0,2-3,5"),
            ("7-7", [7], "7"), ("", nil, ""), ("\n", nil, ""), ("a", nil, ""), ("3-1", nil, ""), ("-1", nil, ""),
            ("1-2-3", nil, ""), ("0-99999999", nil, ""), ("1-", nil, ""),
        ] as [(String, [Int]?, String)])
    func lists(text: String, numbers: [Int]?, written: String) {
        let list = ProcessorList(parsing: text)
        #expect(list?.numbers == numbers)
        if let list { #expect("\(list)" == written) }
    }

    @Test(
        "sessions that start one after the other take turns",
        arguments: [
            (2, .allButOne, ["0", "1", "0", "1"]), (4, .allButOne, ["0-2", "0-1,3", "0,2-3", "1-3", "0-2"]),
            (4, .upTo(2), ["0-1", "2-3", "0-1"]), (3, .upTo(2), ["0-1", "0,2", "1-2"]),
            (4, .upTo(1), ["0", "1", "2", "3"]),
        ] as [(Int, ProcessorCount, [String])])
    func turns(machine: Int, wanted: ProcessorCount, expected: [String]) {
        let available = ProcessorList(0..<machine)
        var sessions: [ProcessorList] = []
        for _ in expected { sessions.append(available.leastUsed(wanted.count(of: machine), besides: sessions)) }
        #expect(sessions.map(\.description) == expected)
    }

    @Test func whereASessionEndedTheNextOneGoes() {
        let available = ProcessorList(0..<2)
        #expect("\(available.leastUsed(1, besides: [ProcessorList([0]), ProcessorList([0])]))" == "1")
        #expect("\(available.leastUsed(1, besides: [ProcessorList([1])]))" == "0")
    }

    struct Report: CustomTestStringConvertible {
        var testDescription: String
        var wanted: ProcessorCount?
        /// What the leaf's `cpuset.cpus` holds; nil: there is no such file.
        var held: String?
        var available: ProcessorList? = ProcessorList(0..<4)
        var enforced: String?
        var by: String
        var note: String?
    }

    @Test(arguments: [
        Report(testDescription: "no limit", enforced: "4", by: "kernel"),
        Report(
            testDescription: "held", wanted: .upTo(2), held: "1-2", enforced: "2", by: "cgroup-v2",
            note: "on 1-2 of 0-3"),
        Report(
            testDescription: "all but one", wanted: .allButOne, held: "0-2", enforced: "3", by: "cgroup-v2", note: "0-2"
        ),
        Report(
            testDescription: "no controller", wanted: .upTo(2), enforced: nil, by: "none",
            note: "all of 0-3: no cpusets"),
        Report(testDescription: "empty", wanted: .upTo(2), held: "", enforced: nil, by: "none", note: "no cpusets"),
        Report(
            testDescription: "held at more", wanted: .upTo(1), held: "0-1", enforced: nil, by: "none", note: "all of"),
        Report(testDescription: "more than there are", wanted: .upTo(8), enforced: "4", by: "kernel", note: "no more"),
        Report(
            testDescription: "one processor", wanted: .allButOne, available: ProcessorList([0]), enforced: nil,
            by: "none",
            note: "one processor"),
        Report(
            testDescription: "one of one", wanted: .upTo(1), available: ProcessorList([0]), enforced: "1", by: "kernel"),
        Report(
            testDescription: "unknown", wanted: .upTo(1), available: nil, enforced: nil, by: "none", note: "not say"),
    ])
    func reports(_ one: Report) throws {
        let cgroup = try LimitReportTests.PlainCgroup(one.held.map { ["cpuset.cpus": $0] } ?? [:])
        let leaf = CgroupLeaf(kind: .v2, directories: ["unified": cgroup.directory])
        let entry = LimitReport.processors(
            one.wanted, leaf, available: one.available, fault: nil, by: "cgroup-v2", why: "no cpusets")
        #expect(entry.asked == one.wanted?.description ?? "all")
        #expect(entry.enforced == one.enforced && entry.by == one.by)
        #expect(one.note.map { entry.note?.contains($0) == true } ?? true, "\(entry)")
    }

    // MARK: By the kernel of this machine

    static let isPossible =
        (ProcessorPlace.available(CgroupLeafTests.here)?.count ?? 0) > 1
        && (CgroupLeafTests.here.bases["cpuset"] != nil || CgroupLeafTests.here.controllers.contains("cpuset"))

    static func limits(_ processors: ProcessorCount?) -> ResourceLimits {
        var limits = CgroupLeafTests.limits
        limits.processors = processors
        return limits
    }

    @Test(.enabled(if: isPossible)) func neighboursLeaveOutDifferentProcessors() throws {
        let parent = CgroupLeafTests.parent(CgroupLeafTests.here)
        let available = try #require(ProcessorPlace.available(CgroupLeafTests.here))
        let made = try ["a", "b"].map { try parent.makeLeaf($0, limits: Self.limits(.allButOne)) }
        defer { for (leaf, _) in made { try? leaf.end() }; parent.removeIfEmpty() }
        let lists = made.compactMap(\.0.processors)
        #expect(lists.map(\.count) == [available.count - 1, available.count - 1])
        #expect(Set(lists).count == 2)
        for (_, report) in made {
            let entry = try #require(report.first { $0.name == "processors" })
            #expect(entry.asked == "all-but-one" && entry.enforced == "\(available.count - 1)")
            #expect(entry.by == "cgroup-\(CgroupLeafTests.here.kind.rawValue)")
        }
        // With its end its place is free again.
        try made[0].0.end()
        let (next, _) = try parent.makeLeaf("c", limits: Self.limits(.allButOne))
        #expect(next.processors == lists[0])
        try next.end()
    }

    @Test(.enabled(if: isPossible)) func sessionsWithoutTheLimitRunEverywhereAndLeaveNoCpuset() throws {
        let parent = CgroupLeafTests.parent(CgroupLeafTests.here)
        for processors in [nil, .upTo(8192)] as [ProcessorCount?] {
            let (leaf, _) = try parent.makeLeaf("s1", limits: Self.limits(processors))
            #expect(leaf.processors == nil && leaf.directories["cpuset"] == nil)
            try leaf.end()
            parent.removeIfEmpty()
        }
        for directory in parent.directories.values { #expect(!CgroupFile.exists(directory)) }
    }

    @Test(.enabled(if: isPossible)) func manyThatStartAtOnceAreSpreadEvenly() async throws {
        let parent = CgroupLeafTests.parent(CgroupLeafTests.here)
        let available = try #require(ProcessorPlace.available(CgroupLeafTests.here))
        let rounds = 2 * available.count
        let leaves = try await withThrowingTaskGroup(of: CgroupLeaf.self) { group in
            for index in 0..<rounds {
                group.addTask { try parent.makeLeaf("s\(index)", limits: Self.limits(.upTo(1))).0 }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        defer { for leaf in leaves { try? leaf.end() }; parent.removeIfEmpty() }
        let uses = Dictionary(grouping: leaves.compactMap(\.processors)) { $0 }.mapValues(\.count)
        #expect(uses.count == available.count && Set(uses.values) == [2], "\(uses)")
    }

    @Test func aCpusetThatCannotBeMadeIsReportedAndTheSessionStarts() throws {
        let memory = try LimitReportTests.PlainCgroup([:])
        let parent = CgroupParent(
            Cgroups(kind: .v1, bases: ["freezer": memory.directory, "cpuset": "/proc/self"], controllers: []),
            stateDirectory: "/t/\(UUID())")
        let (leaf, report) = try parent.makeLeaf("s1", limits: Self.limits(.upTo(1)))
        #expect(leaf.directories["cpuset"] == nil)
        guard (ProcessorPlace.available(parent.cgroups)?.count ?? 0) > 1 else { return }
        let entry = try #require(report.first { $0.name == "processors" })
        #expect(entry.enforced == nil && entry.by == "none" && entry.note?.contains("cannot make /proc/self") == true)
    }
}
