import Foundation
import SessionCore
import Testing

@testable import Supervisor

/// Which process may speak for which session.
struct RosterTests {
    @Test func anotherSessionsWorkerMayNotAndNeitherMayNobodysOnceTheOwnIsKnown() throws {
        let (a, b) = (SessionID(), SessionID())
        let first = try #require(UUID(uuidString: a.description))
        let second = try #require(UUID(uuidString: b.description))
        let roster = WorkerRoster()
        // A worker's first requests can come before its greeting.
        #expect(roster.mayServe(10, first))
        #expect(!roster.mayServe(nil, first))
        roster.set(10, for: a)
        #expect(roster.mayServe(10, first))
        #expect(!roster.mayServe(10, second))
        #expect(!roster.mayServe(11, first))
        #expect(roster.mayServe(11, second))
        // Its next life has another process, and the number may be another's then.
        roster.set(nil, for: a)
        roster.set(10, for: b)
        #expect(roster.mayServe(10, second))
        #expect(!roster.mayServe(10, first))
        roster.set(12, for: a)
        roster.set(nil, for: a)
        #expect(roster.mayServe(10, second))
    }
}
