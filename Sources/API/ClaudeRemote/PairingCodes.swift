import Foundation
import Registry
import Synchronization

/// Codes that enrol one device each (seed-protocols 4.3, 6): given to somebody who is logged in, typed in on the device.
final class PairingCodes: Sendable {
    static let lifetime: TimeInterval = 600
    private static let most = 1000
    /// Without what is easily taken for something else.
    private static let letters = Array("ABCDEFGHJKLMNPQRSTUVWXYZ23456789")

    private struct Entry {
        var principal: Principal
        var name: String
        var expires: ContinuousClock.Instant
    }

    private let entries = Mutex([String: Entry]())

    /// Ten letters, 50 bits, good once and for ten minutes.
    func make(name: String, for principal: Principal) throws(Problem) -> String {
        var generator = SystemRandomNumberGenerator()
        let code = String((0..<10).map { _ in Self.letters.randomElement(using: &generator) ?? "A" })
        let now = ContinuousClock.now
        let isMade = entries.withLock { entries in
            entries = entries.filter { $0.value.expires > now }
            guard entries.count < Self.most else { return false }
            entries[code] = Entry(principal: principal, name: name, expires: now + .seconds(Self.lifetime))
            return true
        }
        guard isMade else { throw Problem(503, "unavailable", "too many pairing codes are open; try again later") }
        return code
    }

    /// Whose device a code enrols, and what it is called; nil for one that is unknown, used or too old.
    func redeem(_ code: String) -> (principal: Principal, name: String)? {
        let text = code.uppercased().filter { $0 != "-" && $0 != " " }
        let entry = entries.withLock { $0.removeValue(forKey: text) }
        guard let entry, entry.expires > ContinuousClock.now else { return nil }
        return (entry.principal, entry.name)
    }
}
