import Foundation
import NIOCore

/// What stands in a record after its head.
enum RecordPayload {
    /// An event whose JSON is larger than this keeps its type alone.
    static let largestEvent = 4 << 20

    // MARK: Accepted inputs

    private enum InputKind: UInt8 {
        case text = 0
        case submittedText, keys, prompt
    }

    static func encode(_ input: AcceptedInput) -> ByteBuffer {
        var buffer = ByteBuffer()
        let kind: InputKind
        switch input.content {
        case .text(_, let submit): kind = submit ? .submittedText : .text
        case .keys: kind = .keys
        case .prompt: kind = .prompt
        }
        buffer.writeInteger(kind.rawValue)
        write(input.sender, to: &buffer)
        buffer.writeInteger(UInt8(input.clientID == nil ? 0 : 1))
        if let clientID = input.clientID { write(clientID, to: &buffer) }
        switch input.content {
        case .text(let text, _): buffer.writeString(text)
        case .keys(let keys): buffer.writeImmutableBuffer(keys)
        case .prompt(let text, let images):
            write(text, to: &buffer)
            for image in images {
                write(image.mediaType, to: &buffer)
                write(image.data, to: &buffer)
            }
        }
        return buffer
    }

    static func input(_ bytes: UnsafeRawBufferPointer) -> AcceptedInput? {
        var buffer = ByteBuffer(bytes: bytes)
        guard let kind = buffer.readInteger(as: UInt8.self).flatMap(InputKind.init), let sender = readText(&buffer),
            let hasClientID = buffer.readInteger(as: UInt8.self)
        else { return nil }
        var clientID: String?
        if hasClientID == 1 {
            guard let text = readText(&buffer) else { return nil }
            clientID = text
        }
        let content: AcceptedInput.Content
        switch kind {
        case .keys: content = .keys(buffer)
        case .text, .submittedText: content = .text(String(buffer: buffer), submit: kind == .submittedText)
        case .prompt:
            guard let text = readText(&buffer) else { return nil }
            var images: [PromptImage] = []
            while buffer.readableBytes > 0 {
                guard let type = readText(&buffer), let data = readText(&buffer) else { return nil }
                images.append(PromptImage(mediaType: type, data: data))
            }
            content = .prompt(text, images: images)
        }
        return AcceptedInput(content: content, sender: sender, clientID: clientID)
    }

    private static func write(_ text: String, to buffer: inout ByteBuffer) {
        buffer.writeInteger(UInt32(text.utf8.count), endianness: .little)
        buffer.writeString(text)
    }

    private static func readText(_ buffer: inout ByteBuffer) -> String? {
        guard let count = buffer.readInteger(endianness: .little, as: UInt32.self) else { return nil }
        return buffer.readString(length: Int(count))
    }

    // MARK: An input on its way to the terminal, a resize, an end

    static func encode(delivering seq: UInt64) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(seq, endianness: .little)
        return buffer
    }

    static func delivering(_ bytes: UnsafeRawBufferPointer) -> UInt64? {
        guard bytes.count == 8 else { return nil }
        return UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    }

    static func encode(_ size: TerminalSize) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt16(size.cols), endianness: .little)
        buffer.writeInteger(UInt16(size.rows), endianness: .little)
        return buffer
    }

    static func size(_ bytes: UnsafeRawBufferPointer) -> TerminalSize? {
        guard bytes.count == 4 else { return nil }
        return TerminalSize(
            cols: Int(UInt16(littleEndian: bytes.loadUnaligned(as: UInt16.self))),
            rows: Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))))
    }

    static func encode(closedOnRequest: Bool) -> ByteBuffer { ByteBuffer(bytes: [closedOnRequest ? 1 : 0]) }

    static func closedOnRequest(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.first == 1 }

    // MARK: Events

    static func encode(_ type: EventType, _ data: JSONValue) -> ByteBuffer {
        var buffer = ByteBuffer()
        let name = type.rawValue.utf8
        buffer.writeInteger(UInt8(name.count))
        buffer.writeBytes(name)
        if let json = try? JSONEncoder().encode(data), json.count <= largestEvent {
            buffer.writeBytes(json)
        } else {
            buffer.writeStaticString(#"{"truncated":true}"#)
        }
        return buffer
    }

    /// nil for a type of a later version as well.
    static func event(_ bytes: UnsafeRawBufferPointer) -> (type: EventType, data: JSONValue)? {
        guard let count = bytes.first.map(Int.init), bytes.count > count,
            let type = EventType(rawValue: String(decoding: bytes[1...count], as: UTF8.self)),
            let data = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes[(count + 1)...]))
        else { return nil }
        return (type, data)
    }
}

extension RecordHead.Mark {
    init(_ type: EventType) {
        switch type {
        case .turnStarted: self = .turnStarted
        case .turnCompleted: self = .turnCompleted
        case .permissionRequested: self = .permissionRequested
        case .permissionResolved: self = .permissionResolved
        case .inputDelivered: self = .inputDelivered
        case .promptWithdrawn: self = .promptWithdrawn
        case .messageUser, .messageAssistant, .messageThinking: self = .message
        case .toolStarted: self = .toolStarted
        case .toolCompleted: self = .toolCompleted
        case .sessionActivity, .toolProgress, .taskStarted, .taskCompleted, .messageDelta, .usageUpdated, .turnRetrying,
            .cliMessage, .cliDropped, .policyViolation, .clientAttached, .clientDetached:
            self = .cheap
        default: self = .none
        }
    }
}

extension EventType {
    /// Events that must survive a power loss as soon as anybody may act on them: the disk is asked to hold them at once.
    var isSyncedAtOnce: Bool {
        switch self {
        case .sessionActivity, .toolStarted, .toolProgress, .toolCompleted, .taskStarted, .taskCompleted, .messageDelta,
            .usageUpdated, .turnRetrying, .cliMessage, .cliDropped, .policyViolation, .clientAttached, .clientDetached,
            .terminalResized, .inputDelivered, .gap:
            false
        default: true
        }
    }
}
