import Foundation
import SessionCore

/// A client's socket on its way from the supervisor to a worker, over ``WorkerSockets/handOver``.
///
/// One connection carries one client, in messages:
///
/// 1. supervisor → worker: this offer as JSON, with the client's socket (SCM_RIGHTS); then the bytes that were read
///    from the client behind its request, in messages of at most ``piece`` bytes.
/// 2. worker → supervisor: ``HandOverWord/taken`` or ``HandOverWord/refused(status:detail:)``. Until then the client is
///    the supervisor's, and so is every answer to it.
/// 3. supervisor → worker: ``HandOverWord/yours``, once it has let go of its own copy. Only now does the worker touch the
///    socket. A connection that ends before that leaves nothing behind: the worker drops its copy.
public struct HandOverOffer: Codable, Sendable, Equatable {
    public static let version = 1
    /// The most bytes of an offer.
    public static let largest = 32 * 1024
    /// The most bytes of a message that follows one.
    public static let piece = 64 * 1024
    /// The most bytes that may follow: a client that has sent more before it is served is relayed.
    public static let mostEarly = 4 << 20

    public var version: Int
    /// What is asked for, as on ``WorkerSockets/client``: `/terminal`, or `/echokit` with its query.
    public var target: String
    public var client: RelayedClient
    /// The answer to the upgrade request, for the worker to send first; nil when the client has it already.
    public var greeting: String?
    /// How many bytes follow.
    public var early: Int

    public init(target: String, client: RelayedClient, greeting: String?, early: Int = 0) {
        version = Self.version
        self.target = target
        self.client = client
        self.greeting = greeting
        self.early = early
    }

    /// The offer as a message; nil for one that is too large.
    public func encoded() throws -> [UInt8]? {
        let bytes = [UInt8](try JSONEncoder.rookery.encode(self))
        return bytes.count <= Self.largest ? bytes : nil
    }

    public init(parsing message: some Sequence<UInt8>) throws {
        self = try JSONDecoder.rookery.decode(Self.self, from: Data(message))
    }
}

/// The short messages of a hand-over.
public enum HandOverWord: Sendable, Equatable {
    /// The worker will serve the client.
    case taken
    /// It will not; `status` is the HTTP status that says why.
    case refused(status: Int, detail: String)
    /// The supervisor has let go of the client.
    case yours

    /// The most bytes of one.
    public static let largest = 1024

    public var text: String {
        switch self {
        case .taken: "taken"
        case .yours: "yours"
        case .refused(let status, let detail):
            "refused \(status) " + String(decoding: detail.utf8.prefix(900), as: UTF8.self)
        }
    }

    /// nil for anything else.
    public init?(parsing message: some Sequence<UInt8>) {
        let words = String(decoding: Array(message.prefix(Self.largest)), as: UTF8.self)
            .split(separator: " ", maxSplits: 2)
        switch words.first {
        case "taken" where words.count == 1: self = .taken
        case "yours" where words.count == 1: self = .yours
        case "refused":
            guard words.count == 3, let status = Int(words[1]), (400...599).contains(status) else { return nil }
            self = .refused(status: status, detail: String(words[2]))
        default: return nil
        }
    }
}
