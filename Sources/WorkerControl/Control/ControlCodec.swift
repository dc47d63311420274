import Foundation
public import NIOCore
import NIOFoundationCompat
import SessionCore

/// Frames of the control socket: a 4-byte big-endian length, then one JSON document of that many bytes.
public enum ControlCodec {
    /// One document as a frame, length included.
    /// - Throws: ``ControlCodecError/tooLarge(_:)`` when it would pass ``ControlRequest/largestFrame``.
    public static func frame(_ value: some Encodable, allocator: ByteBufferAllocator) throws -> ByteBuffer {
        let document = try JSONEncoder.rookery.encode(value)
        guard document.count <= ControlRequest.largestFrame else { throw ControlCodecError.tooLarge(document.count) }
        var buffer = allocator.buffer(capacity: document.count + 4)
        buffer.writeInteger(UInt32(document.count))
        buffer.writeBytes(document)
        return buffer
    }

    /// The document of a frame whose length has been taken off.
    public static func decode<Value: Decodable>(_ type: Value.Type, from frame: ByteBuffer) throws -> Value {
        try JSONDecoder.rookery.decode(type, from: Data(buffer: frame))
    }
}

public enum ControlCodecError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A document of this many bytes, above ``ControlRequest/largestFrame``.
    case tooLarge(Int)
    case empty

    public var description: String {
        switch self {
        case .tooLarge(let bytes):
            "a control frame of \(bytes) bytes passes the limit of \(ControlRequest.largestFrame) bytes"
        case .empty: "a control frame has no content"
        }
    }
}

/// Cuts the byte stream of a control socket into documents. A length out of bounds ends the connection: after
/// it nothing that follows can be trusted to be a frame.
public struct ControlFrameDecoder: ByteToMessageDecoder {
    public typealias InboundOut = ByteBuffer

    public init() {}

    public mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self) else { return .needMoreData }
        guard length > 0 else { throw ControlCodecError.empty }
        guard length <= ControlRequest.largestFrame else { throw ControlCodecError.tooLarge(Int(length)) }
        guard buffer.readableBytes >= 4 + Int(length) else { return .needMoreData }
        buffer.moveReaderIndex(forwardBy: 4)
        guard let document = buffer.readSlice(length: Int(length)) else { return .needMoreData }
        context.fireChannelRead(wrapInboundOut(document))
        return .continue
    }

    public mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState { try decode(context: context, buffer: &buffer) }
}
