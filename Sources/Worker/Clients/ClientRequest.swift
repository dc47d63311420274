import Dialects
import Foundation
import NIOHTTP1
import SessionCore
import WorkerControl

/// What a client asks of the session, as the supervisor passes it on.
struct ClientRequest {
    enum Dialect: Equatable {
        case native
        case echokit(EchokitCompatibility)
    }

    var dialect: Dialect
    var client: RelayedClient

    /// A request that was read already.
    /// - Throws: ``ClientRefusal``.
    init(target: String, client: RelayedClient) throws(ClientRefusal) {
        let path = target.prefix { $0 != "?" }
        switch path {
        case "/terminal": dialect = .native
        case "/echokit": dialect = .echokit(EchokitCompatibility(target: target))
        default: throw ClientRefusal(.notFound, "there is no \(path.prefix(64)) here; there are /terminal and /echokit")
        }
        self.client = client
    }

    /// - Throws: ``ClientRefusal``.
    init(_ head: HTTPRequestHead) throws(ClientRefusal) {
        let values = head.headers[RelayedClient.header]
        guard values.count == 1, let value = values.first,
            let client = try? JSONDecoder.rookery.decode(RelayedClient.self, from: Data(value.utf8))
        else {
            throw ClientRefusal(
                .badRequest, "the request needs one \(RelayedClient.header) header, set by the supervisor")
        }
        try self.init(target: head.uri, client: client)
    }
}

/// Why a request on the client socket gets no WebSocket.
struct ClientRefusal: Error {
    var status: HTTPResponseStatus
    var detail: String

    init(_ status: HTTPResponseStatus, _ detail: String) {
        self.status = status
        self.detail = detail
    }
}
