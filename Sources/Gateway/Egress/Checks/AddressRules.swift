import Glibc
import NIOCore

/// Which addresses belong to the internet. The others (this machine, the networks around it, clouds' metadata) are not
/// reached whatever name leads there (IANA's special-purpose registries; RFC 6890).
enum AddressRules {
    /// - Parameter own: addresses of this machine's interfaces.
    static func isPublic(_ address: SocketAddress, own: Set<SocketAddress>) -> Bool {
        guard let bytes = bytes(of: address) else { return false }
        return isPublic(bytes) && !own.contains { self.bytes(of: $0) == bytes }
    }

    /// The address in network order: 4 or 16 bytes; an IPv4 address in IPv6's clothes is the IPv4 address.
    private static func bytes(of address: SocketAddress) -> [UInt8]? {
        guard let text = address.ipAddress else { return nil }
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes.prefix(4)) }
        guard inet_pton(AF_INET6, text, &bytes) == 1 else { return nil }
        return bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
            ? Array(bytes.suffix(4)) : bytes
    }

    static func isPublic(_ bytes: [UInt8]) -> Bool {
        if bytes.count == 4 {
            let address = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            return !refused4.contains { address >> (32 - $0.bits) == $0.network >> (32 - $0.bits) }
        }
        // Global unicast alone, and of that nothing in which another address hides.
        guard bytes.count == 16, bytes[0] & 0xe0 == 0x20 else { return false }
        return !refused6.contains { prefix, bits in
            let whole = bits / 8
            guard bytes.prefix(whole).elementsEqual(prefix.prefix(whole)) else { return false }
            let rest = bits % 8
            return rest == 0 || bytes[whole] >> (8 - rest) == prefix[whole] >> (8 - rest)
        }
    }

    private static func network(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ bits: Int) -> (
        network: UInt32, bits: Int
    ) { (a << 24 | b << 16 | c << 8 | d, bits) }

    private static let refused4 = [
        network(0, 0, 0, 0, 8), network(10, 0, 0, 0, 8), network(100, 64, 0, 0, 10), network(127, 0, 0, 0, 8),
        network(169, 254, 0, 0, 16), network(172, 16, 0, 0, 12), network(192, 0, 0, 0, 24), network(192, 0, 2, 0, 24),
        network(192, 88, 99, 0, 24), network(192, 168, 0, 0, 16), network(198, 18, 0, 0, 15),
        network(198, 51, 100, 0, 24), network(203, 0, 113, 0, 24), network(224, 0, 0, 0, 3),
        // A public address at which Azure answers its machines.
        network(168, 63, 129, 16, 32),
    ]

    private static let refused6: [(prefix: [UInt8], bits: Int)] = [
        // Protocol assignments, Teredo among them; documentation; 6to4.
        ([0x20, 0x01, 0x00], 23), ([0x20, 0x01, 0x0d, 0xb8], 32), ([0x20, 0x02], 16), ([0x3f, 0xff, 0x00], 20),
    ]
}
