import Foundation
import Policy
import SessionCore
import Testing
import WorkerControl

@testable import Launcher

/// The way of a message through the launcher's reader and its checks, fed with what a supervisor that was taken over
/// might send. Every round can be had again: the generators are seeded.
@Suite struct RequestFuzzTests {
    private static let rounds = 500

    /// Reads and checks as the launcher does; returns the launch that would be carried out.
    private static func accepted(_ message: [UInt8]) -> LaunchRequest? {
        guard case .request(let envelope)? = try? IncomingRequest(message), case .launch(let launch) = envelope.request
        else { return nil }
        return try? CheckedLaunch(launch, rootless: false).request
    }

    @Test("random bytes are never a launch", arguments: [1, 2] as [UInt64])
    func randomBytes(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<Self.rounds {
            let count = Int.random(in: 0..<400, using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(Self.accepted(bytes) == nil)
        }
    }

    @Test("a launch with bytes changed, lost or doubled is refused or within bounds", arguments: [3, 4] as [UInt64])
    func mutatedBytes(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let whole = try JSONEncoder().encode(LauncherRequestEnvelope(id: 1, request: .launch(HostileLaunch.plain)))
        for _ in 0..<Self.rounds {
            let message = HostileLaunch.mutated([UInt8](whole), using: &generator)
            guard let launch = Self.accepted(message) else { continue }
            #expect(HostileLaunch.violation(in: launch) == nil, "\(String(decoding: message, as: UTF8.self))")
        }
    }

    @Test("a launch with hostile values in it is refused or within bounds", arguments: [5, 6] as [UInt64])
    func hostileValues(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let encoder = JSONEncoder()
        let whole = try JSONDecoder().decode(
            JSONValue.self,
            from: encoder.encode(LauncherRequestEnvelope(id: 1, request: .launch(HostileLaunch.plain))))
        var refused = 0
        for _ in 0..<Self.rounds {
            let message = try encoder.encode(HostileLaunch.replaced(whole, using: &generator))
            guard let launch = Self.accepted([UInt8](message)) else {
                refused += 1
                continue
            }
            #expect(HostileLaunch.violation(in: launch) == nil, "\(String(decoding: message, as: UTF8.self))")
        }
        // The mutations reach the checks, and some change nothing that matters.
        #expect(refused > Self.rounds / 2 && refused < Self.rounds)
    }

    @Test func theUnchangedLaunchIsAccepted() throws {
        let whole = try JSONEncoder().encode(LauncherRequestEnvelope(id: 1, request: .launch(HostileLaunch.plain)))
        #expect(Self.accepted([UInt8](whole)) != nil)
    }

    @Test("nesting without end is an error, not a crash", arguments: ["[", "{\"a\":", "{\"id\":1,\"request\":["])
    func depth(opening: String) {
        let message = Array(String(repeating: opening, count: LauncherMessage.largest / opening.utf8.count).utf8)
        #expect(Self.accepted(message) == nil)
    }
}
