/// The part of the model API that a sandbox may use. Matched against the path as it was sent: nothing is decoded,
/// so a dot segment or an encoded slash matches nothing.
enum ModelRoute {
    static func allows(method: String, path: Substring) -> Bool {
        switch (method, path) {
        case ("POST", "/v1/messages"), ("POST", "/v1/messages/count_tokens"), ("GET", "/v1/models"), ("HEAD", "/"):
            true
        case ("GET", _) where path.hasPrefix("/v1/models/"):
            isModelName(path.dropFirst("/v1/models/".count))
        default:
            false
        }
    }

    /// The target's path, without its query; nil when the target is not in origin form (RFC 9112, 3.2.1).
    static func path(of target: String) -> Substring? {
        guard target.hasPrefix("/"), !target.contains("#"), target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { return nil }
        return target.prefix { $0 != "?" }
    }

    private static func isModelName(_ name: Substring) -> Bool {
        name.contains { $0 != "." }
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default:
                    "-._:@".utf8.contains(byte)
                }
            }
    }
}
