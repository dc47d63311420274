import Policy

/// Capabilities that a command keeps in its own user namespace. They count for what is its own: they open no host.
public struct Capabilities: Sendable, Hashable {
    /// Sorted.
    public let names: [String]

    /// The numbers of those that a policy may give (capabilities(7)).
    static let numbers: [String: UInt64] = [
        "chown": 0, "dac_override": 1, "fowner": 3, "kill": 5, "setgid": 6, "setuid": 7, "net_bind_service": 10,
    ]

    /// Throws when one of the names cannot be given.
    public init(_ names: Set<String>) throws(SandboxError) {
        self.names = names.sorted()
        guard let other = self.names.first(where: { Self.numbers[$0] == nil }) else { return }
        throw SandboxError(
            step: "capabilities", errno: 0, message: "a session cannot have the capability '\(other.prefix(64))'",
            remedy: "the policy may name \(Self.numbers.keys.sorted().joined(separator: ", "))")
    }

    private init() { names = [] }
    public static let none = Capabilities()

    /// A bit per number.
    public var mask: UInt64 { names.compactMap { Self.numbers[$0] }.reduce(0) { $0 | 1 << $1 } }
}
