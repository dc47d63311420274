public import Foundation
import NIOCore

/// The beginnings of a request's body and of its answer's, where the session's policy has them kept.
public struct KeptBodies: Sendable, Hashable {
    public struct Part: Sendable, Hashable {
        /// At most as many as the policy says.
        public var bytes = Data()
        /// Of the whole body; of an answer that broke off, what came of it.
        public var size = 0
        private let most: Int

        init(most: Int) { self.most = most }

        mutating func append(_ part: ByteBuffer) {
            size += part.readableBytes
            guard bytes.count < most else { return }
            bytes.append(contentsOf: part.readableBytesView.prefix(most - bytes.count))
        }
    }

    public var request: Part
    public var answer: Part

    init(most: Int) {
        request = Part(most: most)
        answer = Part(most: most)
    }
}

/// Says how much is kept of the bodies of a session's messages to the model.
public protocol BodyPolicy: Sendable {
    /// Bytes of either body; 0: nothing.
    func bytesKept(of session: UUID) async -> Int
}

/// Never a body.
public struct NoBodies: BodyPolicy {
    public init() {}
    public func bytesKept(of session: UUID) async -> Int { 0 }
}
