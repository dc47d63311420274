import Crypto
public import Foundation
import SessionCore

/// What a claude-remote CLI shows of its device (seed-protocols 4.2, 4.3): a signature over a timestamp, or over
/// timestamp, nonce and session, with the device's secret as key. The secret itself is never sent.
public struct ClaudeRemoteProof: Sendable, Equatable {
    public enum Device: Sendable, Equatable {
        case id(Int64)
        case name(String)
        /// It does not say: any device may be the one.
        case any
    }

    public var device: Device
    /// As it was signed.
    public var timestamp: String
    public var nonce: String?
    public var session: String?
    public var signature: Data

    public init(device: Device, timestamp: String, nonce: String? = nil, session: String? = nil, signature: Data) {
        self.device = device
        self.timestamp = timestamp
        self.nonce = nonce
        self.session = session
        self.signature = signature
    }

    /// Reads it from an `auth` message, with its parts as fields or as `token: "<timestamp>:<signature>"`.
    public init(_ fields: ClientFields) throws(ClientMessageError) {
        switch fields["device"] ?? fields["device_id"] {
        case nil: device = .any
        case .integer(let id): device = .id(id)
        case .string(let text): device = Int64(text).map { .id($0) } ?? .name(text)
        default: throw .badField("device", "must be a number or a name")
        }
        nonce = try fields.optionalString("nonce", limit: 128)
        session = try fields.optionalString("session", limit: 64)
        if let token = try fields.optionalString("token", limit: 256) {
            let parts = token.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let signature = Data(base64Encoded: String(parts[1])) else {
                throw .badField("token", "must be '<timestamp>:<signature in base64>'")
            }
            timestamp = String(parts[0])
            self.signature = signature
        } else {
            switch fields["timestamp"] {
            case .integer(let number): timestamp = String(number)
            case .string(let text) where text.utf8.count <= 32: timestamp = text
            default: throw .badField("timestamp", "must be milliseconds since 1970")
            }
            guard let signature = Data(base64Encoded: try fields.string("signature", limit: 128)) else {
                throw .badField("signature", "must be base64")
            }
            self.signature = signature
        }
        guard signature.count == 32 else { throw .badField("signature", "must be an HMAC-SHA256") }
    }

    /// What is signed.
    var content: String {
        guard let nonce else { return timestamp }
        return "\(timestamp).\(nonce).\(session ?? "")"
    }

    /// Seconds since 1970; the seed's timestamps may be seconds or milliseconds.
    var time: Double? {
        guard let number = Int64(timestamp), number > 0 else { return nil }
        return number < 100_000_000_000 ? Double(number) : Double(number) / 1000
    }

    /// The signature that a device with this secret makes.
    public static func sign(_ content: String, secret: Data) -> Data {
        Data(HMAC<SHA256>.authenticationCode(for: Data(content.utf8), using: SymmetricKey(data: secret)))
    }

    /// In constant time.
    func isSigned(with secret: Data) -> Bool {
        HMAC<SHA256>.isValidAuthenticationCode(
            signature, authenticating: Data(content.utf8), using: SymmetricKey(data: secret))
    }
}

/// A device that may dial in, with its secret.
public struct ClaudeRemoteDevice: Sendable, Equatable {
    /// Bytes of a secret.
    public static let secretSize = 32

    public var id: Int64
    public var name: String
    public var secret: Data

    public init(id: Int64, name: String, secret: Data) {
        self.id = id
        self.name = name
        self.secret = secret
    }
}

/// Finds the device of a proof, and refuses proofs that are too old or were shown before.
public struct ClaudeRemoteGate: Sendable {
    /// Seconds a timestamp may be off, either way.
    public static let window = 300.0
    /// Proofs remembered; more within the window are refused.
    public static let capacity = 10_000

    public enum Refusal: Error, Sendable, Equatable {
        case unknown
        case stale
        case replayed
        case busy

        /// The closing handshake's reason.
        public var reason: String {
            switch self {
            case .unknown: "authentication failed"
            case .stale: "the timestamp is not within five minutes of this server's clock"
            case .replayed: "this signature was used before"
            case .busy: "too many connections; try again later"
            }
        }
    }

    /// Signatures taken, with the moment from which on they are stale anyway.
    private var taken: [Data: Double] = [:]

    public init() {}

    /// - Parameter now: seconds since 1970.
    public mutating func admit(
        _ proof: ClaudeRemoteProof, devices: [ClaudeRemoteDevice], at now: Double
    ) throws(Refusal) -> ClaudeRemoteDevice {
        // Every candidate is tried, so that time tells nothing.
        var found: ClaudeRemoteDevice?
        for device in devices {
            let isMeant =
                switch proof.device {
                case .any: true
                case .id(let id): device.id == id
                case .name(let name): device.name == name
                }
            if proof.isSigned(with: device.secret), isMeant { found = device }
        }
        guard let found else { throw .unknown }
        guard let time = proof.time, abs(now - time) <= Self.window else { throw .stale }
        guard taken[proof.signature] == nil else { throw .replayed }
        if taken.count >= Self.capacity { taken = taken.filter { $0.value > now } }
        guard taken.count < Self.capacity else { throw .busy }
        taken[proof.signature] = time + Self.window
        return found
    }
}
