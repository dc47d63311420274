/// Which environment a session may be given.
public enum EnvironmentRules {
    public static let mostVariables = 256
    public static let longestName = 128
    public static let longestValue = 32 * 1024
    /// Names and values together.
    public static let largest = 64 * 1024

    /// Names that the supervisor sets itself, which neither a policy nor a request may.
    public static let reserved: Set<String> = [
        "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "CLAUDE_CONFIG_DIR", "CLAUDE_SESSION_ID",
        "HOME", "HTTPS_PROXY", "HTTP_PROXY", "LD_LIBRARY_PATH", "LD_PRELOAD", "LOGNAME", "NO_PROXY", "PWD", "SHELL",
        "USER", "http_proxy", "https_proxy", "no_proxy",
    ]

    /// True for `[A-Za-z_][A-Za-z0-9_]*` of at most ``longestName`` bytes.
    public static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= longestName, !isDigit(first) else { return false }
        return text.utf8.allSatisfy {
            isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) || $0 == UInt8(ascii: "_")
        }
    }

    /// True for a value without NUL of at most ``longestValue`` bytes.
    public static func isValue(_ text: String) -> Bool {
        text.utf8.count <= longestValue && !text.utf8.contains(0)
    }

    /// What is wrong with an environment, for a person; nil when nothing is.
    public static func problem(in environment: [String: String]) -> String? {
        guard environment.count <= mostVariables else { return "more than \(mostVariables) variables" }
        var bytes = 0
        for (name, value) in environment {
            guard isName(name) else {
                return "'\(name.prefix(longestName))' is not a variable's name: use letters, digits and '_'"
            }
            guard isValue(value) else { return "the value of \(name) holds a NUL or is over \(longestValue) bytes" }
            bytes += name.utf8.count + value.utf8.count + 2
        }
        return bytes <= largest ? nil : "names and values together are over \(largest) bytes"
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
