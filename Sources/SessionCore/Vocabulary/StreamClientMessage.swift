/// What a client of `…/stream` says (api-v1, 6), wherever the session's program runs.
public enum StreamClientMessage: Sendable {
    case ping
    /// - Parameter number: the client's own, for the answer.
    case command(number: JSONValue?, SessionCommand)

    /// Commands whose answers have not been sent, of one client.
    public static let mostCommands = 64

    /// It is refused, and the connection goes on.
    public struct Refused: Error, Sendable {
        /// As far as the message had one.
        public var number: JSONValue?
        public var failure: CommandFailure

        public static let binary = Refused(
            number: nil, failure: CommandFailure("malformed_command", "commands are text, not binary"))
    }

    /// - Parameters:
    ///   - limit: bytes of one message.
    ///   - waiting: commands of this client that wait for their answers.
    public init(parsing text: String, limit: Int, waiting: Int) throws(Refused) {
        guard let object = JSONValue(parsing: text, limit: limit) else {
            throw Refused(number: nil, failure: CommandFailure("malformed_command", "a command is a JSON object"))
        }
        if object["type"]?.string == "ping" {
            self = .ping
            return
        }
        let number = object["id"]
        guard waiting < Self.mostCommands else {
            throw Refused(
                number: number,
                failure: CommandFailure("input_backlog", "\(Self.mostCommands) commands wait for their answers"))
        }
        do throws(CommandSyntaxError) { self = .command(number: number, try SessionCommand(object)) } catch {
            throw Refused(number: number, failure: CommandFailure(error.code, error.description))
        }
    }
}

extension CommandOutcome {
    /// The message that answers a command.
    public func answer(to number: JSONValue?) -> JSONValue {
        var frame: [String: JSONValue] = ["type": "answer", "id": number ?? .null]
        switch self {
        case .done(let data):
            frame["ok"] = true
            frame["data"] = data
        case .failed(let failure):
            frame["ok"] = false
            var error: [String: JSONValue] = ["code": .string(failure.code), "detail": .string(failure.detail)]
            error["data"] = failure.data
            frame["error"] = .object(error)
        }
        return .object(frame)
    }
}
