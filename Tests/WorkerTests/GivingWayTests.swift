import Foundation
import Testing
import WorkerControl

/// What the scheduler does with a flooded worker: its weight beside others'.
@Suite("A flooded worker", .enabled(if: FileManager.default.fileExists(atPath: "/proc/self/autogroup")))
struct GivingWayTests {
    @Test("waits for everybody else's, and no more when the flood is over")
    func flood() async throws {
        try await WorkerFixture.with(["sh", "-c", "yes & read enough; kill $!; exec cat"]) { fixture in
            func isWeighted(_ nice: String) -> Bool {
                let group = try? String(contentsOfFile: "/proc/\(fixture.worker.pid)/autogroup", encoding: .utf8)
                return group?.hasSuffix(" nice \(nice)\n") == true
            }
            #expect(isWeighted("0"))
            try await eventually("the flooded worker to give way") { isWeighted("19") }
            let connection = try await fixture.connect()
            _ = try await connection.send(.input(text: "enough", clientID: nil, submit: true))
            try await eventually("the worker to compete again") { isWeighted("0") }
        }
    }
}
