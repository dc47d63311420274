/// Headers of every response.
enum SecurityHeaders {
    static let fields: [(String, String)] = [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("content-security-policy", contentSecurityPolicy),
    ]

    /// Everything comes from this server and nothing else, and nothing is inline: Scripts/extract-xterm.py makes
    /// xterm.js write its colours into constructed style sheets.
    static let contentSecurityPolicy = [
        "default-src 'self'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:",
        "font-src 'self' data:", "connect-src 'self'", "object-src 'none'", "base-uri 'none'",
        "form-action 'self'", "frame-ancestors 'none'",
    ].joined(separator: "; ")
}
