import Foundation
import Glibc
import Policy
import Testing

@testable import Sandbox

/// Nothing survives the end of a leaf, whatever it did to stay.
@Suite struct EndingTests {
    struct Immune: CustomTestStringConvertible {
        var testDescription: String
        /// What runs, in bash, once it is in the leaf.
        var script: String
        /// How many processes there must be before the end.
        var least: Int
    }

    @Test(
        .enabled(if: CgroupLeafTests.here.kind == .v1 && CgroupLeafTests.here.bases["pids"] != nil),
        arguments: [
            Immune(
                testDescription: "daemons of their own sessions",
                script: "for i in 1 2 3; do setsid bash -c 'setsid sleep 600 & exit' ; done; sleep 600", least: 4),
            Immune(
                testDescription: "deaf to every signal",
                script: "trap '' HUP INT TERM QUIT USR1 USR2; while :; do sleep 600; done", least: 2),
            Immune(testDescription: "stopped", script: "sleep 600 & kill -STOP $!; kill -STOP $$", least: 2),
            Immune(
                testDescription: "a fork bomb", script: "f() { f | f & sleep 0.01; }; while :; do f; done 2>/dev/null",
                least: 10),
        ])
    func nothingSurvives(_ one: Immune) throws {
        let parent = CgroupLeafTests.parent(CgroupLeafTests.here)
        let limits = ResourceLimits(
            memory: .mebibytes(300), cpuPercent: 100, pids: 40, openFiles: 64, temporary: .mebibytes(1))
        let (leaf, _) = try parent.makeLeaf("s1", limits: limits)
        let child = Process()
        let go = Pipe()
        child.executableURL = URL(fileURLWithPath: "/bin/bash")
        child.arguments = ["-c", "read -r go; " + one.script]
        child.standardInput = go
        child.standardError = FileHandle.nullDevice
        try child.run()
        do {
            try leaf.place(child.processIdentifier)
            try go.fileHandleForWriting.write(contentsOf: Data("go\n".utf8))
            let deadline = Date().addingTimeInterval(20)
            while leaf.members.count < one.least, Date() < deadline { usleep(10_000) }
            #expect(leaf.members.count >= one.least)
            // Frozen on top of everything.
            let freezer = try #require(leaf.freezer)
            #expect(CgroupFile.write(freezer.path, freezer.freeze) == 0)
        } catch {
            try? leaf.end()
            throw error
        }
        let members = leaf.members
        try leaf.end()
        #expect(!leaf.exists)
        child.waitUntilExit()
        #expect(child.terminationReason == .uncaughtSignal && child.terminationStatus == SIGKILL)
        for pid in members {
            let text = CgroupFile.read("/proc/\(pid)/cgroup") ?? ""
            #expect(!text.contains(parent.name), "\(pid) is left")
        }
        parent.removeIfEmpty()
    }

    @Test(.enabled(if: CgroupLeafTests.here.kind == .v1 && CgroupLeafTests.here.bases["freezer"] != nil))
    func aDescriptorOfTheFreezerStopsAndContinues() throws {
        let parent = CgroupLeafTests.parent(CgroupLeafTests.here)
        let (leaf, _) = try parent.makeLeaf("s1", limits: CgroupLeafTests.limits)
        defer { try? leaf.end(); parent.removeIfEmpty() }
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/bin/sh")
        child.arguments = ["-c", "while :; do :; done"]
        try child.run()
        try leaf.place(child.processIdentifier)
        let freezer = try #require(leaf.freezer)
        let file = try freezer.open()
        func ticks() -> Int {
            let stat = CgroupFile.read("/proc/\(child.processIdentifier)/stat") ?? ""
            let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
            return fields.count > 12 ? (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0) : -1
        }
        #expect(pwrite(file.number, freezer.freeze, freezer.freeze.utf8.count, 0) > 0)
        usleep(300_000)
        let before = ticks()
        usleep(300_000)
        #expect(ticks() == before)
        #expect(pwrite(file.number, freezer.thaw, freezer.thaw.utf8.count, 0) > 0)
        let deadline = Date().addingTimeInterval(20)
        while ticks() == before, Date() < deadline { usleep(10_000) }
        #expect(ticks() > before)
    }
}
