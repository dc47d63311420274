/// The host uids (and gids, the same numbers) that belong to one session: `[base, base + 65536)`, seen inside as 0 to
/// 65535. Distinct ranges keep sessions apart even where a mount namespace would not (sandbox contract, 3.4).
public struct UIDRange: Sendable, Hashable {
    public let slot: Int
    /// The host uid that is 0 inside.
    public let base: UInt32
    public static let count: UInt32 = 65_536
    /// Uid 0 inside of slot 0.
    public static let first: UInt32 = 0x1000_0000
    /// All ranges end below 0x70000000: uids from 2^31 on trouble file systems and tools that think them signed.
    public static let slots = 0..<0x6000

    /// nil for a slot outside ``slots``.
    public init?(slot: Int) {
        guard Self.slots.contains(slot) else { return nil }
        self.slot = slot
        self.base = Self.first + UInt32(slot) * Self.count
    }

    /// The host's number for an id inside.
    public func host(_ inside: UInt16) -> UInt32 { base + UInt32(inside) }

    public func contains(_ host: UInt32) -> Bool { host >= base && host - base < Self.count }

    /// The line for /proc/<pid>/uid_map and gid_map (user_namespaces(7)).
    public var mapLine: String { "0 \(base) \(Self.count)\n" }
}
