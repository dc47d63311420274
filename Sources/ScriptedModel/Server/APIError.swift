import HTTPTypes
import Hummingbird
import NIOCore

/// An error in the Messages API's shape.
func apiError(_ status: Int, _ message: String, requestID: String) -> Response {
    let type =
        switch status {
        case 400: "invalid_request_error"
        case 401: "authentication_error"
        case 403: "permission_error"
        case 404: "not_found_error"
        case 413: "request_too_large"
        case 429: "rate_limit_error"
        case 529: "overloaded_error"
        default: "api_error"
        }
    var response = json(
        #"{"type":"error","error":{"type":"\#(type)","message":\#(JSONText.string(message))},"#
            + #""request_id":"\#(requestID)"}"#,
        status: .init(code: status), requestID: requestID)
    if status == 429 || status == 529 { response.headers[.retryAfter] = "1" }
    return response
}

func json(_ text: String, status: HTTPResponse.Status = .ok, requestID: String) -> Response {
    Response(
        status: status, headers: [.contentType: "application/json", .requestID: requestID],
        body: .init(byteBuffer: ByteBuffer(string: text)))
}

extension HTTPField.Name {
    // The names are constants of RFC 9110's token form, so that they always parse.
    static let requestID = HTTPField.Name("request-id") ?? .server
    static let apiKey = HTTPField.Name("x-api-key") ?? .authorization
}
