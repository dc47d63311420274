import Foundation
import Glibc
import Sandbox
import SessionCore
import Testing
import WorkerControl

@Suite struct FairnessTests {
    static let isPossible =
        Stage.isRoot
        && (Cgroups.detect().bases["cpu"].map { access("\($0)/cpu.shares", F_OK) == 0 } == true
            || Cgroups.detect().kind == .v2 && Cgroups.detect().controllers.contains("cpu"))

    @Test(
        "a session that burns a processor gives way to a quiet one, and no more once it has calmed",
        .enabled(if: isPossible))
    func givesWay() async throws {
        try await Stage.with(rootless: false) { stage in
            let (quiet, greedy) = (SessionID(), SessionID())
            let calm = try await stage.launcher.launch(
                .plain(quiet, slot: Stage.slot(), start: try stage.waitingScript()))
            let burner = try await stage.launcher.launch(
                .plain(
                    greedy, slot: Stage.slot(),
                    start: try stage.scratch.script(
                        "burn", "#!/bin/sh\nwhile [ ! -e /workspace/enough ]; do :; done\nexec sleep 600\n")))
            func isIdle(_ directories: [String: String]) -> Bool {
                (directories["cpu"] ?? directories["unified"]).flatMap {
                    try? String(contentsOfFile: "\($0)/cpu.idle", encoding: .utf8)
                } == "1\n"
            }
            #expect(await eventually { isIdle(burner.cgroups) })
            #expect(!isIdle(calm.cgroups))
            // Both together give way to the service meanwhile.
            let all = burner.cgroups.mapValues { ($0 as NSString).deletingLastPathComponent }
            #expect(await eventually { isIdle(all) })
            let file = "\(stage.scratch.path)/state/sessions/\(greedy)/workspace/enough"
            #expect(FileManager.default.createFile(atPath: file, contents: nil))
            #expect(await eventually { !isIdle(burner.cgroups) && !isIdle(all) })
            for id in [quiet, greedy] { #expect(try await stage.launcher.clean(id)) }
        }
    }
}
