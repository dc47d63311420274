import Foundation
import Glibc
import Policy
import Sandbox
import SessionCore
import Testing
import WorkerControl

@testable import Launcher

/// Sessions that may not run on every processor, with the real cpuset controller.
@Suite struct ProcessorTests {
    static let isPossible =
        Stage.isRoot && sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1
        && (Cgroups.detect().bases["cpuset"] != nil || Cgroups.detect().controllers.contains("cpuset"))

    static func request(_ id: SessionID, start: String) -> LaunchRequest {
        var request = LaunchRequest.plain(id, slot: Stage.slot(), start: start)
        request.rules.limits.processors = .upTo(1)
        request.rules.required = ["processors"]
        return request
    }

    /// Says on how many processors it runs, tries to run on all, and says it again.
    static let ask = """
        #!/bin/bash
        before=$(nproc); taskset -p ffff $$ >/dev/null 2>&1
        for cpu in 0 1 2 3 4 5 6 7; do taskset -p -c $cpu $$ >/dev/null 2>&1; done
        taskset -p -c 0-63 $$ >/dev/null 2>&1
        echo "$before $(nproc) $(sed -n 's/^Cpus_allowed_list:\\t//p' /proc/self/status)" > /workspace/mark
        exec sleep 600
        """

    @Test(.enabled(if: isPossible)) func eachIsOnAProcessorOfItsOwnAndCannotLeaveIt() async throws {
        try await Stage.with(rootless: false) { stage in
            let start = try stage.scratch.script("start", Self.ask)
            var lists: [String] = []
            let ids = [SessionID(), SessionID()]
            for id in ids {
                let session = try await stage.launcher.launch(Self.request(id, start: start))
                let limit = try #require(session.limits.first { $0.name == "processors" })
                #expect(limit.asked == "1" && limit.enforced == "1" && limit.by.hasPrefix("cgroup-v"))
                let mark = "state/sessions/\(id)/workspace/mark"
                #expect(await eventually { stage.scratch.text(mark)?.hasSuffix("\n") == true })
                let words = (stage.scratch.text(mark) ?? "").split(whereSeparator: \.isWhitespace).map(String.init)
                #expect(words.prefix(2) == ["1", "1"], "\(words)")
                lists.append(words.last ?? "")
                #expect(limit.note?.hasPrefix("on \(lists[lists.count - 1]) of ") == true)
            }
            #expect(Set(lists).count == 2)

            #expect(try await stage.launcher.clean(ids[0]))
            // The other's go with a launcher that did not make them.
            stage.launcher.kill()
            let next = try RunningLauncher(stage.scratch, .root(service: Stage.service))
            guard case .swept(let swept) = try await next.ask(.sweep(SweepRequest(live: []))) else {
                Issue.record("no answer to sweep")
                return
            }
            #expect(swept == [ids[1]])
            #expect(stage.cgroups.isEmpty)
            _ = await next.stop()
        }
    }

    @Test(.enabled(if: Stage.isRoot)) func allButOneIsReportedAsItIs() async throws {
        try await Stage.with(rootless: false) { stage in
            let id = SessionID()
            var request = LaunchRequest.plain(id, slot: Stage.slot(), start: try stage.waitingScript())
            request.rules.limits.processors = .allButOne
            let session = try await stage.launcher.launch(request)
            let limit = try #require(session.limits.first { $0.name == "processors" })
            #expect(limit.asked == "all-but-one")
            #expect((limit.enforced == nil) == (limit.by == "none"))
            if Self.isPossible { #expect(limit.enforced == "\(sysconf(Int32(_SC_NPROCESSORS_ONLN)) - 1)") }
            #expect(try await stage.launcher.clean(id))
            await stage.expectNothingLeft(of: id, directories: true)
        }
    }

    @Test(.enabled(if: sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1))
    func withoutCgroupsItIsReportedAndRefusedWhereItMustHold() async throws {
        try await Stage.with(rootless: true) { stage in
            let id = SessionID()
            var request = Self.request(id, start: try stage.waitingScript())
            request.rules.required = []
            let session = try await stage.launcher.launch(request)
            let limit = try #require(session.limits.first { $0.name == "processors" })
            guard limit.by == "none" else { return }
            #expect(limit.enforced == nil && limit.note?.isEmpty == false)
            #expect(try await stage.launcher.clean(id))
            request.sessionID = SessionID()
            request.rules.required = ["processors"]
            #expect(try await stage.launcher.failure(.launch(request))?.step == "require processors")
        }
    }
}
