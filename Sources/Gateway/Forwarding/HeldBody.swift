import NIOCore
import Synchronization

/// How many bytes of requests are held at once, over all sessions. A body is held until it has come whole: only then
/// is known which model it asks, and only then can it be sent a second time.
final class BodyAllowance: Sendable {
    static let most = 512 << 20
    private let taken = Atomic(0)

    /// Collects a body.
    ///
    /// - Throws: ``BoundedBody/TooLarge``, ``Refusal/busy`` when others hold too much.
    func collect(_ body: BoundedBody) async throws -> HeldBody {
        let held = HeldBody(self)
        for try await part in body { try held.append(part) }
        return held
    }

    fileprivate func take(_ count: Int) throws(Refusal) {
        guard taken.add(count, ordering: .relaxed).newValue <= Self.most else {
            give(count)
            throw .busy
        }
    }

    fileprivate func give(_ count: Int) { taken.subtract(count, ordering: .relaxed) }
}

/// A request's body, whole. Gives its share of the allowance back when nobody needs it any more.
final class HeldBody {
    private(set) var bytes = ByteBuffer()
    private let allowance: BodyAllowance

    fileprivate init(_ allowance: BodyAllowance) { self.allowance = allowance }

    fileprivate func append(_ part: ByteBuffer) throws(Refusal) {
        try allowance.take(part.readableBytes)
        bytes.writeImmutableBuffer(part)
    }

    deinit { allowance.give(bytes.readableBytes) }
}
