import Crypto
import Foundation

/// A random string that stands for a right, such as a login or a ticket. Stores keep only its hash, so that a look-up
/// takes the same time whatever was guessed, and a dump of memory structures shows no usable value.
struct Secret: Sendable {
    let text: String

    /// 256 bits from the system's generator, URL-safe.
    init(prefix: String) {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
        text =
            prefix
            + Data(bytes).base64EncodedString().replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
    }

    static func hash(_ text: String) -> Data { Data(SHA256.hash(data: Data(text.utf8))) }
}
