import Dialects
import Foundation
import NIOHTTP1
import WorkerControl

/// An upgrade request on the client socket, as the supervisor relays it.
struct ClientRequest {
    enum Dialect: Equatable {
        case native
        case echokit(EchokitCompatibility)
    }

    var dialect: Dialect
    var client: RelayedClient

    /// - Throws: ``ClientRefusal``.
    init(_ head: HTTPRequestHead) throws(ClientRefusal) {
        let path = head.uri.prefix { $0 != "?" }
        switch path {
        case "/terminal": dialect = .native
        case "/echokit": dialect = .echokit(EchokitCompatibility(target: head.uri))
        default: throw ClientRefusal(.notFound, "there is no \(path.prefix(64)) here; there are /terminal and /echokit")
        }
        let values = head.headers[RelayedClient.header]
        guard values.count == 1, let value = values.first,
            let client = try? JSONDecoder().decode(RelayedClient.self, from: Data(value.utf8))
        else {
            throw ClientRefusal(
                .badRequest, "the request needs one \(RelayedClient.header) header, set by the supervisor")
        }
        self.client = client
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
