import Foundation
import SessionCore

/// The kind of a client message of echokit (seed protocols, 1.2): enough to know whether it parses and whether it
/// starts a session. The worker's dialect carries it out.
enum EchokitMessage: Hashable {
    case createSession, getCurrentState, input, bytesInput, cancel, confirm, select

    /// nil for what echokit's own parser refuses.
    init?(parsing text: String) {
        guard let value = try? JSONReader.parse(text.utf8) else { return nil }
        self.init(value)
    }

    init?(_ value: JSONValue) {
        switch value["type"]?.string {
        case "create_session", "CreateSession": self = .createSession
        case "get_current_state", "CurrentState": self = .getCurrentState
        case "input", "Input":
            guard value["input"]?.string != nil else { return nil }
            self = .input
        case "bytes_input", "BytesInput":
            guard let bytes = value["input"]?.array,
                bytes.allSatisfy({ $0.integer.map { (0...255).contains($0) } ?? false })
            else { return nil }
            self = .bytesInput
        case "cancel", "Cancel": self = .cancel
        case "confirm", "Confirm": self = .confirm
        case "select", "Select":
            guard let index = value["index"]?.integer, index >= 0 else { return nil }
            self = .select
        default: return nil
        }
    }
}

/// The errors that are answered where no worker is (seed protocols, 1.3).
struct EchokitError {
    var value: JSONValue

    private init(id: String, code: String, message: String?) {
        var members: [String: JSONValue] = [
            "type": "session_error", "session_id": .string(id), "error_code": .string(code),
        ]
        if let message { members["error_message"] = .string(message) }
        value = .object(members)
    }

    static let unparsable = EchokitError(id: "", code: "invalid_input", message: "Failed to parse input message")
    static func notFound(_ id: String) -> EchokitError { EchokitError(id: id, code: "session_not_found", message: nil) }
    static func badID(_ id: String) -> EchokitError {
        EchokitError(id: id, code: "invalid_input", message: "Invalid UUID format: '\(id)' is not a UUID")
    }
    static func failed(_ id: String, _ code: String, _ message: String) -> EchokitError {
        EchokitError(id: id, code: code, message: message)
    }

    var text: String { (try? JSONEncoder.rookery.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}" }
}
