import Glibc

/// The bytes of an IP address in text form (inet_pton(3)): 4 or 16; nil for anything else, such as a name.
private func addressBytes(_ text: String) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 16)
    if inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes[..<4]) }
    if inet_pton(AF_INET6, text, &bytes) == 1 { return bytes }
    return nil
}

/// True for an IPv4 or IPv6 address, false for a name.
func isAddress(_ text: String) -> Bool { addressBytes(text) != nil }

/// True for `localhost`, 127.0.0.0/8 and ::1.
func isLoopback(_ text: String) -> Bool {
    if text.lowercased() == "localhost" { return true }
    guard let bytes = addressBytes(text) else { return false }
    return bytes.count == 4 ? bytes[0] == 127 : bytes == [UInt8](repeating: 0, count: 15) + [1]
}
