public import Policy

/// A value that the gateway adds to requests of tools, in clear, as it is set. Described without the value.
public struct ToolSecret: Sendable, CustomStringConvertible {
    /// By which policies name it.
    public var name: String
    /// The only ones it may be sent to; nil: those that it has already.
    public var hosts: [EgressHost]?
    public var value: String

    public static let mostHosts = 32
    /// Bytes of a value.
    public static let longest = 8 << 10

    public init(name: String, hosts: [EgressHost]?, value: String) {
        self.name = name
        self.hosts = hosts
        self.value = value
    }

    public var description: String { "\(name) <redacted>" }

    /// What is wrong with it, and with which part, without the value; nil: nothing.
    public var problem: (field: String, detail: String)? {
        guard SessionPolicy.isName(name) else {
            return ("name", "'name' is not one that a policy can write: 1 to 64 of a-z, 0-9, - and _")
        }
        if let hosts {
            guard (1...Self.mostHosts).contains(hosts.count) else {
                return ("hosts", "'hosts' are 1 to \(Self.mostHosts) hosts: a secret goes to them and to no other")
            }
            guard !hosts.contains(where: \.isAddress) else {
                return ("hosts", "'hosts' are names, as TLS proves them, no addresses")
            }
        }
        guard Self.isValue(value) else {
            return (
                "value", "'value' is the header's value: 1 to \(Self.longest) bytes of printable ASCII on one line"
            )
        }
        return nil
    }

    /// Whether a text can be a header's value.
    static func isValue(_ text: String) -> Bool {
        (1...longest).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20..<0x7f).contains($0) }
    }
}
