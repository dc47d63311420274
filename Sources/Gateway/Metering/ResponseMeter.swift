import Foundation
import NIOCore

/// Reads along what an answer of `/v1/messages` says it used, streamed or not.
struct ResponseMeter {
    /// A complete message of any size that the API gives.
    static let largestMessage = 16 << 20

    enum Progress: Sendable, Equatable {
        case nothing
        /// The prompt was taken: its tokens are used whatever becomes of the answer.
        case began
        /// The counts of the whole answer.
        case complete
    }

    private enum Form {
        case stream(StreamScanner)
        case document(ByteBuffer)
        /// No message: nothing is read.
        case other
    }

    private(set) var usage = TokenUsage.none
    /// The model that answered, by its own word.
    private(set) var model: String?
    private var form: Form

    init(contentType: String?, isMessage: Bool) {
        let type = (contentType ?? "").lowercased()
        form =
            if !isMessage {
                .other
            } else if type.hasPrefix("text/event-stream") {
                .stream(StreamScanner())
            } else {
                .document(ByteBuffer())
            }
    }

    mutating func read(_ bytes: ByteBuffer) -> Progress {
        switch form {
        case .stream(var scanner):
            form = .other
            let found = scanner.read(bytes)
            form = .stream(scanner)
            return found.reduce(.nothing) { progress, data in
                let told = event(Data(data))
                return told == .nothing ? progress : told
            }
        case .document(var whole):
            form = .other
            if whole.readableBytes + bytes.readableBytes <= Self.largestMessage {
                whole.writeImmutableBuffer(bytes)
                form = .document(whole)
            }
            return .nothing
        case .other: return .nothing
        }
    }

    /// The answer is over.
    mutating func finish() -> Progress {
        guard case .document(let whole) = form, whole.readableBytes > 0,
            let message = try? JSONDecoder().decode(Message.self, from: Data(whole.readableBytesView))
        else { return .nothing }
        take(message)
        return message.usage == nil ? .nothing : .complete
    }

    private mutating func event(_ data: Data) -> Progress {
        guard let event = try? JSONDecoder().decode(Event.self, from: data) else { return .nothing }
        switch event.type {
        case "message_start":
            guard let message = event.message else { return .nothing }
            take(message)
            return .began
        case "message_delta":
            event.usage?.apply(to: &usage)
            return event.usage == nil ? .nothing : .complete
        default: return .nothing
        }
    }

    private mutating func take(_ message: Message) {
        if let name = message.model, (1...128).contains(name.utf8.count) { model = name }
        message.usage?.apply(to: &usage)
    }

    private struct Message: Decodable {
        var model: String?
        var usage: UsageReport?
    }

    private struct Event: Decodable {
        var type: String
        var message: Message?
        var usage: UsageReport?
    }
}
