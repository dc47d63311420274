import HummingbirdCore
import NIOCore

/// A request body that ends with an error once it is longer than allowed.
struct BoundedBody: AsyncSequence, Sendable {
    struct TooLarge: Error {}

    let body: RequestBody
    let limit: Int

    struct AsyncIterator: AsyncIteratorProtocol {
        var iterator: RequestBody.AsyncIterator
        var left: Int

        mutating func next() async throws -> ByteBuffer? {
            guard let part = try await iterator.next() else { return nil }
            left -= part.readableBytes
            guard left >= 0 else { throw TooLarge() }
            return part
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(iterator: body.makeAsyncIterator(), left: limit)
    }
}
