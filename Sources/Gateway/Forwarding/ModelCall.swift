import Foundation
import HTTPTypes
import NIOHTTP1

/// A request that is one of the model API's and says which session it is from.
struct ModelCall {
    let head: HTTPRequest
    let session: UUID
    /// With its query, as it was sent.
    let target: String
    let path: String

    /// - Throws: ``Refusal`` for any other.
    ///
    /// - Parameter placeholder: what a session's sandbox has in place of a credential.
    init(_ head: HTTPRequest, placeholder: (UUID) -> String) throws(Refusal) {
        let target = head.path ?? ""
        guard let path = ModelRoute.path(of: target), ModelRoute.allows(method: head.method.rawValue, path: path) else {
            throw .noRoute(head.method.rawValue, target)
        }
        guard let name = HTTPField.Name(HeaderFilter.session), let text = head.headerFields[name],
            let session = UUID(uuidString: text)
        else { throw .noSession }
        // Its first look at whether anybody is there has none.
        if path != "/" { try Self.check(head, placeholder(session)) }
        self.head = head
        self.session = session
        self.target = target
        self.path = String(path)
    }

    /// All that the sandbox shows must be its own: another session's is a sign of something that went astray.
    private static func check(_ head: HTTPRequest, _ own: String) throws(Refusal) {
        let bearer = head.headerFields[values: .authorization].map { value in
            value.lowercased().hasPrefix("bearer ") ? String(value.dropFirst(7)) : value
        }
        let keys = HTTPField.Name("x-api-key").map { head.headerFields[values: $0] } ?? []
        let shown = bearer + keys
        guard !shown.isEmpty, shown.allSatisfy({ $0 == own }) else { throw .wrongPlaceholder }
    }

    /// What costs money.
    var isMessage: Bool { path == "/v1/messages" }

    var record: ModelRequestRecord {
        ModelRequestRecord(session: session, method: head.method.rawValue, path: path, startedAt: Date())
    }
}
