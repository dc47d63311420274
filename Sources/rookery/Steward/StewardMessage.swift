import Foundation
import Glibc
import Supervisor

/// What steward and supervisor say to each other: short texts over a SOCK_SEQPACKET pair. The steward may be root; it
/// understands one request, which has no arguments.
enum StewardMessage: Equatable {
    // The supervisor's
    /// It wants another process of the installed program in its place.
    case replace
    /// It has given up its privileges and waits to be told to go on.
    case prepared
    /// It serves.
    case up
    // The steward's
    /// Nothing is replaced; why.
    case refused(String)
    /// Another one is ready.
    case leave
    /// It is the only one now.
    case go

    private static let largest = 16 << 10

    private var text: String {
        switch self {
        case .replace: "replace"
        case .prepared: "prepared"
        case .up: "up"
        case .refused(let reason): "refused \(reason.prefix(4000))"
        case .leave: "leave"
        case .go: "go"
        }
    }

    private init?(_ text: String) {
        switch text {
        case "replace": self = .replace
        case "prepared": self = .prepared
        case "up": self = .up
        case "leave": self = .leave
        case "go": self = .go
        default:
            guard text.hasPrefix("refused ") else { return nil }
            self = .refused(String(text.dropFirst("refused ".count)))
        }
    }

    /// False when nobody is at the other end.
    @discardableResult
    func send(over descriptor: Int32) -> Bool {
        let bytes = Array(text.utf8)
        return Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    enum Heard: Equatable {
        case message(StewardMessage)
        case nothing
        case closed
    }

    /// Waits for a message.
    /// - Parameter milliseconds: -1 waits for ever.
    static func receive(from descriptor: Int32, within milliseconds: Int32) -> Heard {
        var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&ready, 1, milliseconds) > 0 else { return .nothing }
        var buffer = [UInt8](repeating: 0, count: largest)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count < 0, errno == EINTR || errno == EAGAIN { return .nothing }
        guard count > 0 else { return .closed }
        // What it does not know is of another version, and left out.
        return StewardMessage(String(decoding: buffer.prefix(count), as: UTF8.self)).map(Heard.message) ?? .nothing
    }
}
