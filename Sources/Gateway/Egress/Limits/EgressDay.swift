import Foundation

/// A day of UTC, as accounts are kept.
struct EgressDay: Sendable, Hashable {
    /// Since 1970.
    let number: Int

    init(number: Int) { self.number = number }

    static var now: EgressDay { EgressDay(number: time(nil) / 86_400) }

    /// `2026-11-25`.
    var text: String {
        String(Date(timeIntervalSince1970: Double(number) * 86_400).formatted(.iso8601).prefix(10))
    }
}
