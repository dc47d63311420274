/// Why a JSON object is no command. The text is for the client.
public struct CommandSyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
    /// `malformed_command` or `unknown_command`.
    public var code: String
    public var description: String

    init(_ description: String, code: String = "malformed_command") {
        self.code = code
        self.description = description
    }
}

extension SessionCommand {
    /// Reads one command; members that it does not know are ignored.
    public init(_ object: JSONValue) throws(CommandSyntaxError) {
        guard case .object = object else { throw CommandSyntaxError("a command is a JSON object") }
        let fields = CommandFields(object: object)
        switch try fields.text("type") {
        case "prompt":
            self = .prompt(
                text: try fields.text("text"), images: try Self.images(object["images"]),
                clientID: try fields.optionalText("client_id", most: 128), channel: try Self.channel(object["channel"]))
        case "withdraw": self = .withdraw(promptID: try fields.text("prompt_id", most: 128))
        case "interrupt": self = .interrupt
        case "answer": self = .answer(try PermissionAnswer(object, id: try fields.text("permission_id", most: 256)))
        case "set_model": self = .setModel(try fields.text("model", most: 256))
        case "set_permission_mode": self = .setPermissionMode(try fields.text("mode", most: 64))
        case "rename": self = .rename(title: try fields.text("title", most: 1024))
        case "mcp_status": self = .mcpStatus
        case "mcp_toggle":
            self = .mcpToggle(server: try fields.text("server", most: 256), enabled: try fields.flag("enabled"))
        case "mcp_reconnect": self = .mcpReconnect(server: try fields.text("server", most: 256))
        case "stop_task": self = .stopTask(try fields.text("task_id", most: 256))
        case "permissions": self = .permissions
        case "state": self = .state
        case let type:
            throw CommandSyntaxError("there is no command '\(type.prefix(64))'", code: "unknown_command")
        }
    }

    /// The command as ``init(_:)`` reads it.
    public var json: JSONValue {
        switch self {
        case .prompt(let text, let images, let clientID, let channel):
            var members: [String: JSONValue] = ["type": "prompt", "text": .string(text)]
            if !images.isEmpty {
                members["images"] = .array(
                    images.map { ["media_type": .string($0.mediaType), "data": .string($0.data)] })
            }
            if let clientID { members["client_id"] = .string(clientID) }
            if let channel { members["channel"] = channel.json }
            return .object(members)
        case .withdraw(let id): return ["type": "withdraw", "prompt_id": .string(id)]
        case .interrupt: return ["type": "interrupt"]
        case .answer(let answer):
            guard case .object(var members) = answer.json else { return .null }
            members["type"] = "answer"
            members["permission_id"] = .string(answer.id)
            return .object(members)
        case .setModel(let model): return ["type": "set_model", "model": .string(model)]
        case .setPermissionMode(let mode): return ["type": "set_permission_mode", "mode": .string(mode)]
        case .rename(let title): return ["type": "rename", "title": .string(title)]
        case .mcpStatus: return ["type": "mcp_status"]
        case .mcpToggle(let server, let enabled):
            return ["type": "mcp_toggle", "server": .string(server), "enabled": .bool(enabled)]
        case .mcpReconnect(let server): return ["type": "mcp_reconnect", "server": .string(server)]
        case .stopTask(let task): return ["type": "stop_task", "task_id": .string(task)]
        case .permissions: return ["type": "permissions"]
        case .state: return ["type": "state"]
        }
    }

    private static func channel(_ value: JSONValue?) throws(CommandSyntaxError) -> ChannelOrigin? {
        guard let value, value != .null else { return nil }
        guard case .object = value else { throw CommandSyntaxError("'channel' is a JSON object") }
        let fields = CommandFields(object: value)
        return ChannelOrigin(
            chat: try fields.text("chat_id", most: ChannelOrigin.longestChat),
            user: try fields.optionalText("user", most: ChannelOrigin.longestUser),
            time: try fields.optionalText("ts", most: ChannelOrigin.longestTime))
    }

    private static func images(_ value: JSONValue?) throws(CommandSyntaxError) -> [PromptImage] {
        guard let value, value != .null else { return [] }
        guard let items = value.array, items.count <= PromptImage.most else {
            throw CommandSyntaxError("'images' is a list of at most \(PromptImage.most) images")
        }
        var images: [PromptImage] = []
        var bytes = 0
        for item in items {
            guard let type = item["media_type"]?.string, PromptImage.mediaTypes.contains(type) else {
                let types = PromptImage.mediaTypes.sorted().joined(separator: ", ")
                throw CommandSyntaxError("an image's 'media_type' is one of \(types)")
            }
            guard let data = item["data"]?.string, !data.isEmpty, data.utf8.allSatisfy(isBase64) else {
                throw CommandSyntaxError("an image's 'data' is its content in base64")
            }
            bytes += data.utf8.count
            guard bytes <= PromptImage.mostBytes else {
                throw CommandSyntaxError("a prompt's images are at most \(PromptImage.mostBytes) bytes of base64")
            }
            images.append(PromptImage(mediaType: type, data: data))
        }
        return images
    }

    private static func isBase64(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2F, 0x3D: true
        default: false
        }
    }
}

extension PermissionAnswer {
    /// Reads an answer, as the body of `POST …/permissions/{pid}` and the command `answer` have it.
    public init(_ object: JSONValue, id: String) throws(CommandSyntaxError) {
        let fields = CommandFields(object: object)
        self.init(
            id: id, decision: try fields.choice("decision"),
            message: try fields.optionalText("message", most: 16 * 1024))
        switch object["updated_input"] {
        case nil, .null: break
        case .object(let members): updatedInput = .object(members)
        default: throw CommandSyntaxError("'updated_input' is a JSON object")
        }
        switch object["answers"] {
        case nil, .null: break
        case .object(let members):
            answers = [:]
            for (question, answer) in members {
                guard let text = answer.string else { throw CommandSyntaxError("'answers' maps questions to texts") }
                answers?[question] = text
            }
        default: throw CommandSyntaxError("'answers' maps questions to texts")
        }
        if let remember = object["remember"], remember != .null { self.remember = try fields.choice("remember") }
        if let interrupt = object["interrupt"], interrupt != .null { interrupts = try fields.flag("interrupt") }
        guard decision == .allow || (updatedInput == nil && answers == nil) else {
            throw CommandSyntaxError("'updated_input' and 'answers' go with an allow")
        }
    }

    /// The answer without its id.
    public var json: JSONValue {
        var members: [String: JSONValue] = ["decision": .string(decision.rawValue)]
        if let message { members["message"] = .string(message) }
        if let updatedInput { members["updated_input"] = updatedInput }
        if let answers { members["answers"] = .object(answers.mapValues { .string($0) }) }
        if let remember { members["remember"] = .string(remember.rawValue) }
        if interrupts { members["interrupt"] = true }
        return .object(members)
    }
}

extension SessionCommand: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let object = try container.decode(JSONValue.self)
        do {
            self = try SessionCommand(object)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(json)
    }
}

/// Members of a command, each checked as it is taken.
private struct CommandFields {
    var object: JSONValue

    func text(_ name: String, most: Int = 256 * 1024) throws(CommandSyntaxError) -> String {
        guard let text = try optionalText(name, most: most) else { throw CommandSyntaxError("'\(name)' is missing") }
        return text
    }

    func optionalText(_ name: String, most: Int) throws(CommandSyntaxError) -> String? {
        switch object[name] {
        case nil, .null: return nil
        case .string(let text):
            guard text.utf8.count <= most else { throw CommandSyntaxError("'\(name)' is at most \(most) bytes") }
            return text
        default: throw CommandSyntaxError("'\(name)' is a text")
        }
    }

    func flag(_ name: String) throws(CommandSyntaxError) -> Bool {
        guard let flag = object[name]?.bool else { throw CommandSyntaxError("'\(name)' is true or false") }
        return flag
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String
    ) throws(CommandSyntaxError) -> Choice where Choice.RawValue == String {
        guard let choice = Choice(rawValue: try text(name, most: 64)) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: " or ")
            throw CommandSyntaxError("'\(name)' is \(known)")
        }
        return choice
    }
}
