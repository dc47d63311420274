import NIOCore
import NIOHTTP1

/// A refusal written before or beside Hummingbird: bad bytes, a refused upgrade. Always ends the connection.
enum WireProblem {
    static func parts(
        _ problem: Problem, allocator: ByteBufferAllocator
    ) -> (head: HTTPResponseHead, body: ByteBuffer) {
        let data = problem.body
        var headers = HTTPHeaders(problem.allHeaders)
        headers.replaceOrAdd(name: "content-length", value: String(data.count))
        headers.replaceOrAdd(name: "connection", value: "close")
        for (name, value) in SecurityHeaders.fields { headers.replaceOrAdd(name: name, value: value) }
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: problem.status), headers: headers)
        return (head, allocator.buffer(bytes: data))
    }

    /// What the decoder's complaint means to the client.
    static func problem(of error: any Error) -> Problem {
        switch error {
        case HTTPParserError.headerOverflow:
            Problem(431, "headers_too_large", "the request's headers are larger than this server accepts")
        case is ByteToMessageDecoderError.PayloadTooLargeError:
            Problem(431, "headers_too_large", "the request's head is larger than this server accepts")
        default:
            Problem(400, "bad_request", "the bytes are not an HTTP/1.1 request")
        }
    }
}

/// Closes a connection whose last bytes must arrive: ends the output, reads and drops input until the peer is done
/// or a second has passed. (Closing with unread input resets the connection, and the answer is lost.)
enum LingeringClose {
    static let patience: TimeAmount = .seconds(1)

    static func begin(_ context: ChannelHandlerContext) {
        let channel = context.channel
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenFailure { _ in channel.close(promise: nil) }
        context.close(mode: .output, promise: promise)
        context.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
        context.read()
    }
}
