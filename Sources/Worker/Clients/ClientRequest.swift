import Dialects
import Foundation
import NIOHTTP1
import SessionCore
import WorkerControl

/// What a client asks of the session, as the supervisor passes it on.
struct ClientRequest {
    enum Dialect: Equatable {
        /// The terminal.
        case native
        /// The terminal, as Companion's browsers know it.
        case companion
        /// Events and commands, of any kind of session.
        case stream(since: UInt64?)
        case echokit(EchokitCompatibility)
    }

    /// Bytes of the client's messages.
    var largestMessage: Int {
        if case .stream = dialect { ClientSocket.largestCommand } else { ClientSocket.largestMessage }
    }

    var dialect: Dialect
    var client: RelayedClient

    /// A request that was read already.
    /// - Throws: ``ClientRefusal``.
    init(target: String, client: RelayedClient) throws(ClientRefusal) {
        let path = target.prefix { $0 != "?" }
        switch path {
        case "/terminal": dialect = .native
        case "/companion": dialect = .companion
        case "/stream": dialect = .stream(since: Self.since(in: target))
        case "/echokit": dialect = .echokit(EchokitCompatibility(target: target))
        default:
            throw ClientRefusal(
                .notFound, "there is no \(path.prefix(64)) here; there are /terminal, /companion, /stream and /echokit")
        }
        self.client = client
    }

    /// The number in `?since=`.
    private static func since(in target: String) -> UInt64? {
        target.drop { $0 != "?" }.dropFirst().split(separator: "&").lazy
            .compactMap { $0.hasPrefix("since=") ? UInt64($0.dropFirst(6)) : nil }.first
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
