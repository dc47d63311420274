import Crypto
import Foundation

/// `rk_<public id>_<secret>`: 12 characters of `a-z0-9`, then 64 of hexadecimal (256 random bits).
struct BearerToken: Sendable, CustomStringConvertible {
    /// What it stands for, by how it begins.
    enum Kind: String {
        case user = "rk"
        case share = "rs"
    }

    let kind: Kind
    let publicID: String
    private let secret: String

    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
    private static let publicLength = 12
    private static let secretLength = 64

    /// A new one.
    init(_ kind: Kind = .user) {
        self.kind = kind
        var generator = SystemRandomNumberGenerator()
        publicID = String((0..<Self.publicLength).map { _ in Self.alphabet.randomElement(using: &generator) ?? "a" })
        secret = (0..<4).map { _ in
            let word = generator.next()
            return String(repeating: "0", count: word.leadingZeroBitCount / 4 - (word == 0 ? 1 : 0))
                + String(word, radix: 16)
        }.joined()
    }

    /// Takes one apart; nil for anything that is not of the form, white space around it included.
    init?(parsing text: some StringProtocol, as kind: Kind = .user) {
        self.kind = kind
        let parts = text.split(separator: "_", maxSplits: 2, omittingEmptySubsequences: false)
        guard text.utf8.count == 4 + Self.publicLength + Self.secretLength, parts.count == 3, parts[0] == kind.rawValue,
            parts[1].utf8.count == Self.publicLength, parts[2].utf8.count == Self.secretLength,
            parts[1].utf8.allSatisfy({ Self.isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }),
            parts[2].utf8.allSatisfy({ Self.isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) })
        else { return nil }
        publicID = String(parts[1])
        secret = String(parts[2])
    }

    /// The whole token: shown once, when it is made.
    var text: String { "\(kind.rawValue)_\(publicID)_\(secret)" }

    /// What is stored. SHA-256 is enough for 256 random bits: there is nothing to guess, so nothing to slow down.
    var secretHash: Data { Data(SHA256.hash(data: Data(secret.utf8))) }

    /// Compares in constant time.
    func matches(_ hash: Data) -> Bool {
        let own = secretHash
        guard own.count == hash.count else { return false }
        return zip(own, hash).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// Without the secret, so that no log ever holds one.
    var description: String { "\(kind.rawValue)_\(publicID)_<redacted>" }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
