import Foundation
import Glibc
import Policy
import Sandbox
import SessionCore
import Testing
import WorkerControl

@testable import Launcher

/// Sessions that begin with another's files.
@Suite struct SessionCopyTests {
    private static let start = """
        #!/bin/bash
        [ -e /workspace/mark ] && echo "found $(id -u) $(stat -c %u /workspace/mark)" > /workspace/seen
        echo one > /workspace/mark
        echo home > /home/agent/mark
        exec sleep 600
        """

    @Test(.enabled(if: DiskTests.isPossible)) func theCopyIsTheForksOwnAndTheOtherRunsOn() async throws {
        try await Stage.with(rootless: false) { stage in
            let (parent, child) = (SessionID(), SessionID())
            let start = try stage.scratch.script("start", Self.start)
            let first = try await stage.launcher.launch(DiskTests.request(parent, slot: Stage.slot(), start: start))
            let mark = DiskTests.inside(first, "workspace/mark")
            #expect(await eventually { DiskTests.text(DiskTests.inside(first, "home/agent/mark")) == "home\n" })
            #expect(first.copied == nil)

            var request = DiskTests.request(child, slot: Stage.slot(), start: start)
            request.filesOf = parent
            let fork = try await stage.launcher.launch(request)
            let copied = try #require(fork.copied)
            // Two marks, and what the worker left in the home.
            #expect(copied.files == 3 && copied.bytes > 9 && copied.left == 0, "\(copied)")
            let seen = DiskTests.inside(fork, "workspace/seen")
            #expect(await eventually { DiskTests.text(seen) == "found 1000 1000\n" })
            #expect(DiskTests.text(DiskTests.inside(fork, "home/agent/mark")) == "home\n")
            // Neither is the other's.
            try Data("two\n".utf8).write(to: URL(filePath: DiskTests.inside(fork, "workspace/mark")))
            #expect(DiskTests.text(mark) == "one\n")
            #expect(access(DiskTests.inside(first, "workspace/seen"), F_OK) != 0)
            #expect(runs(first.workerPID))

            // Once: what it made of the copy stays, whatever becomes of the other.
            for id in [parent, child] { #expect(try await stage.launcher.clean(id)) }
            guard
                case .done = try await stage.launcher.ask(
                    .remove(RemoveRequest(sessionID: parent, keepWorkspace: false)))
            else { throw LaunchFailure(step: "remove", errno: 0, message: "", remedy: "") }
            let again = try await stage.launcher.launch(request)
            #expect(again.copied == nil)
            #expect(await eventually { DiskTests.text(DiskTests.inside(again, "workspace/mark")) == "one\n" })
            #expect(try await stage.launcher.clean(child))
        }
    }

    /// Writes the same number into two files, one after the other, as fast as it can.
    private static let writer = """
        #!/bin/bash
        i=0
        while :; do
            i=$((i + 1))
            echo $i > /workspace/first
            for j in 1 2 3 4 5 6 7 8; do echo $i > /workspace/n$j; done
            echo $i > /workspace/zlast
        done
        """

    @Test(.enabled(if: DiskTests.isPossible)) func whatIsFrozenIsCopiedAsItWasAtOneMoment() async throws {
        try await Stage.with(rootless: false) { stage in
            let parent = SessionID()
            let start = try stage.scratch.script("start", Self.writer)
            let quiet = try stage.scratch.script("quiet", "#!/bin/bash\nexec sleep 600\n")
            let first = try await stage.launcher.launch(DiskTests.request(parent, slot: Stage.slot(), start: start))
            #expect(await eventually { DiskTests.text(DiskTests.inside(first, "workspace/zlast")) != nil })
            func fork() async throws -> (CopiedFiles, texts: [String?]) {
                let child = SessionID()
                var request = DiskTests.request(child, slot: Stage.slot(), start: quiet)
                request.filesOf = parent
                let launched = try await stage.launcher.launch(request)
                let texts = ["first", "n1", "n8", "zlast"].map {
                    DiskTests.text(DiskTests.inside(launched, "workspace/\($0)"))
                }
                #expect(try await stage.launcher.clean(child))
                return (try #require(launched.copied), texts)
            }
            #expect(try await fork().0.atRest == false, "it runs")
            let unified = first.cgroups["unified"]
            let freezer = try #require(
                unified.map { $0 + "/cgroup.freeze" } ?? first.cgroups["freezer"].map { $0 + "/freezer.state" })
            func say(_ word: String) throws {
                let file = open(freezer, O_WRONLY)
                defer { close(file) }
                #expect(write(file, word, word.utf8.count) > 0)
            }
            for _ in 0..<3 {
                try say(unified == nil ? "FROZEN" : "1")
                let (copied, texts) = try await fork()
                #expect(copied.atRest == true)
                // In one round of the writer: the later files are of this number or the one before, in this order.
                // One may be emptied and not written yet.
                let numbers = texts.compactMap { $0.flatMap { Int($0.dropLast()) } }
                #expect(numbers.count >= 3 && numbers == numbers.sorted(by: >), "\(texts)")
                #expect((numbers.first ?? 9) - (numbers.last ?? 0) <= 1, "\(texts)")
                try say(unified == nil ? "THAWED" : "0")
                let before = DiskTests.text(DiskTests.inside(first, "workspace/zlast"))
                #expect(await eventually { DiskTests.text(DiskTests.inside(first, "workspace/zlast")) != before })
            }
            #expect(try await stage.launcher.clean(parent))
            #expect(try await fork().0.atRest == true, "nothing of it runs")
        }
    }

    @Test(.enabled(if: DiskTests.isPossible)) func whatDoesNotFitLeavesNothing() async throws {
        try await Stage.with(rootless: false) { stage in
            let (parent, child) = (SessionID(), SessionID())
            let fill =
                "#!/bin/bash\nhead -c 19M /dev/urandom > /workspace/big; echo done > /home/agent/mark\nexec sleep 600\n"
            let start = try stage.scratch.script("start", fill)
            let first = try await stage.launcher.launch(DiskTests.request(parent, slot: Stage.slot(), start: start))
            #expect(await eventually { DiskTests.text(DiskTests.inside(first, "home/agent/mark")) == "done\n" })
            var request = DiskTests.request(child, slot: Stage.slot(), start: start)
            request.rules.limits.disk = .mebibytes(16)
            request.filesOf = parent
            guard case .failed(let failure) = try await stage.launcher.ask(.launch(request)) else {
                Issue.record("it was launched")
                return
            }
            #expect(failure.step == "copy files" && failure.errno == ENOSPC, "\(failure)")
            for file in ["state/disks/\(child).img", "state/sessions/\(child)", "run/w/\(child)"] {
                #expect(!stage.scratch.exists(file), "\(file)")
            }
            #expect(runs(first.workerPID))

            request.filesOf = SessionID()
            guard case .failed(let unknown) = try await stage.launcher.ask(.launch(request)) else {
                Issue.record("it was launched")
                return
            }
            #expect(unknown.step == "copy files" && unknown.errno == ENOENT, "\(unknown)")
            request.filesOf = child
            guard case .failed(let itself) = try await stage.launcher.ask(.launch(request)) else {
                Issue.record("it was launched")
                return
            }
            #expect(itself.step == "check files_of")
            #expect(try await stage.launcher.clean(parent))
        }
    }
}
