import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// Takes a response's body.
final class CollectingWriter: ResponseBodyWriter, Sendable {
    let bytes = Mutex(ByteBuffer())

    func write(_ buffer: ByteBuffer) async throws { bytes.withLock { _ = $0.writeImmutableBuffer(buffer) } }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
    var text: String { bytes.withLock { String(buffer: $0) } }
}
