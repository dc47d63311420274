import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import NIOFoundationCompat
import SessionCore

extension JSONEncoder {
    /// The encoder of the types in this folder: `JSONEncoder.rookery`, with their names in `snake_case`. Keys of
    /// dictionaries (labels, payloads of others) stay as they are.
    static var document: JSONEncoder {
        let encoder = JSONEncoder.rookery
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return encoder
    }
}

extension Response {
    /// A document as JSON.
    static func json(
        _ document: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) throws -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        headers[.cacheControl] = "no-store"
        let data = try JSONEncoder.document.encode(document)
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(data: data)))
    }

    init(_ problem: Problem) {
        var headers = HTTPFields()
        for (name, value) in problem.allHeaders {
            guard let name = HTTPField.Name(name) else { continue }
            headers[name] = value
        }
        self.init(
            status: HTTPResponse.Status(code: problem.status), headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(data: problem.body)))
    }
}
