import Dialects
import NIOCore
import NIOHTTP1
import SessionCore

/// A short HTTP response that is made here.
struct PlainResponse {
    var status: HTTPResponseStatus
    var headers: HTTPHeaders
    var body: ByteBuffer

    static func json(_ status: HTTPResponseStatus, _ value: JSONValue, headers: HTTPHeaders = [:]) -> Self {
        var headers = headers
        headers.replaceOrAdd(name: "content-type", value: "application/json")
        return PlainResponse(status: status, headers: headers, body: value.encoded(allocator: ByteBufferAllocator()))
    }

    /// RFC 9457.
    static func problem(_ status: HTTPResponseStatus, code: String, detail: String) -> Self {
        var response = json(
            status,
            [
                "type": "about:blank", "title": .string(status.reasonPhrase), "status": .integer(Int64(status.code)),
                "code": .string(code), "detail": .string(detail),
            ])
        response.headers.replaceOrAdd(name: "content-type", value: "application/problem+json")
        return response
    }

    enum Ending {
        case keep, close
        /// Says that the connection ends here and leaves it to the caller to end it.
        case announceClose
    }

    func write(to context: ChannelHandlerContext, then ending: Ending) {
        var headers = headers
        headers.replaceOrAdd(name: "content-length", value: "\(body.readableBytes)")
        if ending != .keep { headers.replaceOrAdd(name: "connection", value: "close") }
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        context.write(NIOAny(HTTPServerResponsePart.head(head)), promise: nil)
        context.write(NIOAny(HTTPServerResponsePart.body(.byteBuffer(body))), promise: nil)
        let channel = context.channel
        let end = context.writeAndFlush(NIOAny(HTTPServerResponsePart.end(nil)))
        if ending == .close { end.whenComplete { _ in channel.close(promise: nil) } }
    }
}
