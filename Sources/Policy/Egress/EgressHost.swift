import Glibc

/// A host as a tool names it, in one spelling: a DNS name in lower case, or an address in its usual form. Whatever else
/// resolvers take for a host (`127.1`, `0x7f000001`, `2130706433`) is none here.
public struct EgressHost: Sendable, Hashable {
    public let text: String
    public let isAddress: Bool

    /// - Parameter text: without brackets and port. nil: no host.
    public init?(_ text: String) {
        guard (1...254).contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
        var text = text.lowercased()
        if text.hasSuffix("."), text.count > 1 { text.removeLast() }
        if text.contains(":") {
            var address = in6_addr()
            guard text.utf8.count <= 45, inet_pton(AF_INET6, text, &address) == 1 else { return nil }
            var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            guard inet_ntop(AF_INET6, &address, &buffer, socklen_t(buffer.count)) != nil else { return nil }
            self.text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            isAddress = true
            return
        }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...253).contains(text.utf8.count), labels.allSatisfy(Self.isLabel), let last = labels.last else {
            return nil
        }
        self.text = text
        let looksLikeNumber = last.utf8.allSatisfy { (0x30...0x39).contains($0) } || last.hasPrefix("0x")
        guard looksLikeNumber else {
            isAddress = false
            return
        }
        // Four decimal numbers without a zero in front, and no other spelling of an address.
        let isPlain = labels.allSatisfy { label in
            UInt8(label) != nil && (label.count == 1 || !label.hasPrefix("0"))
        }
        guard labels.count == 4, isPlain else { return nil }
        isAddress = true
    }

    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
            && label.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "-")
                    || $0 == UInt8(ascii: "_")
            }
    }
}
