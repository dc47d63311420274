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
    init(_ head: HTTPRequest) throws(Refusal) {
        let target = head.path ?? ""
        guard let path = ModelRoute.path(of: target), ModelRoute.allows(method: head.method.rawValue, path: path) else {
            throw .noRoute(head.method.rawValue, target)
        }
        guard let name = HTTPField.Name(HeaderFilter.session), let text = head.headerFields[name],
            let session = UUID(uuidString: text)
        else { throw .noSession }
        self.head = head
        self.session = session
        self.target = target
        self.path = String(path)
    }

    /// What the sandbox shows in place of a credential.
    var placeholders: [String] {
        let bearer = head.headerFields[values: .authorization].map { value in
            value.lowercased().hasPrefix("bearer ") ? String(value.dropFirst(7)) : value
        }
        return bearer + (HTTPField.Name("x-api-key").map { head.headerFields[values: $0] } ?? [])
    }

    /// What costs money.
    var isMessage: Bool { path == "/v1/messages" }

    var record: ModelRequestRecord {
        ModelRequestRecord(session: session, method: head.method.rawValue, path: path, startedAt: Date())
    }
}
