import NIOCore
import Policy

/// What of a sandbox's bytes may go on, once a connection is open.
enum RequestScreen {
    enum Verdict {
        case pass(ByteBuffer)
        /// More must come first.
        case wait
        case refuse(Objection)
    }

    enum Objection: Hashable {
        case notTLS
        /// nil: none was said.
        case serverName(String?)
        /// A body that is none.
        case malformed
    }

    case all
    /// TLS for one host: its first message is held until it has come whole.
    case hello(EgressDestination, held: [UInt8] = [])
    /// One request's body. What is behind it goes nowhere: another request would be one that nobody has checked.
    case body(BodyReader)

    var isWaiting: Bool { if case .hello = self { true } else { false } }

    enum End {
        /// The other side is told, and may go on.
        case half
        /// The other side goes on, and is not told.
        case hidden
        /// There is nothing to go on with.
        case whole
    }

    /// What it means that the client has nothing more to say.
    var clientEnd: End {
        switch self {
        case .all: .half
        case .hello: .whole
        case .body(let reader): reader.isOver ? .hidden : .whole
        }
    }

    /// What it means that the server has nothing more to say.
    var serverEnd: End { if case .all = self { .half } else { .whole } }

    mutating func take(_ bytes: ByteBuffer) -> Verdict {
        switch self {
        case .all: return .pass(bytes)
        case .hello(let target, var held):
            held.append(contentsOf: bytes.readableBytesView)
            switch ClientHello.read(held) {
            case .incomplete where held.count <= ClientHello.longest:
                self = .hello(target, held: held)
                return .wait
            case .incomplete, .other: return .refuse(.notTLS)
            case .server(let name):
                // Addresses have no place in a server's name (RFC 6066, 3).
                let isExpected = target.host.isAddress ? name == nil : name == target.host.text
                guard isExpected else { return .refuse(.serverName(name)) }
                self = .all
                return .pass(ByteBuffer(bytes: held))
            }
        case .body(var reader):
            guard let count = try? reader.take(bytes.readableBytesView) else { return .refuse(.malformed) }
            self = .body(reader)
            return count == 0 ? .wait : .pass(bytes.getSlice(at: bytes.readerIndex, length: count) ?? ByteBuffer())
        }
    }
}
