import Foundation
public import SessionCore

/// What a Companion browser sends (seed-protocols 3.3), and the seed's own `hello`.
public struct CompanionBrowserMessage: Sendable, Equatable {
    public enum Content: Sendable, Equatable {
        case userMessage(String, images: [PromptImage])
        case permissionResponse(CompanionPermissionAnswer)
        case subscribe(lastSeq: UInt64)
        case acknowledge(lastSeq: UInt64)
        case interrupt
        case endSession
        case stopTask(String)
        case setModel(String)
        case setPermissionMode(String)
        case mcpStatus
        case mcpToggle(server: String, enabled: Bool)
        case mcpReconnect(server: String)
        /// `{"type":"hello","protocol":"seed"}`.
        case hello(seed: Bool)
        /// Known, and not done here.
        case unsupported(String)
    }

    public var content: Content
    /// The same one twice is one message.
    public var clientID: String?

    public init(_ content: Content, clientID: String? = nil) {
        self.content = content
        self.clientID = clientID
    }

    /// Bytes of one message: pictures go with prompts.
    public static let largest = 8 << 20

    /// Reads a text frame.
    public init(parsing text: String) throws(ClientMessageError) {
        let fields = try ClientFields(parsing: text, limit: Self.largest)
        clientID = try fields.optionalString("client_msg_id", limit: 255)
        switch try fields.type() {
        case "user_message":
            let images = try PromptImage.list(companion: try fields.array("images") ?? [])
            content = .userMessage(try fields.string("content"), images: images)
        case "permission_response": content = .permissionResponse(try CompanionPermissionAnswer(fields))
        case "session_subscribe": content = .subscribe(lastSeq: try Self.lastSeq(fields))
        case "session_ack": content = .acknowledge(lastSeq: try Self.lastSeq(fields))
        case "interrupt": content = .interrupt
        case "end_session": content = .endSession
        case "stop_task": content = .stopTask(try fields.string("task_id", limit: 255))
        case "set_model": content = .setModel(try fields.string("model", limit: 255))
        case "set_permission_mode": content = .setPermissionMode(try fields.string("mode", limit: 64))
        case "mcp_get_status": content = .mcpStatus
        case "mcp_toggle":
            content = .mcpToggle(
                server: try fields.string("serverName", limit: 255), enabled: try fields.bool("enabled"))
        case "mcp_reconnect": content = .mcpReconnect(server: try fields.string("serverName", limit: 255))
        case "hello": content = .hello(seed: try fields.optionalString("protocol") == "seed")
        case let type where Self.unsupported.contains(type): content = .unsupported(type)
        default: throw fields.unknownType()
        }
    }

    private static let unsupported: Set = ["mcp_set_servers", "update_environment_variables", "set_ai_validation"]

    private static func lastSeq(_ fields: ClientFields) throws(ClientMessageError) -> UInt64 {
        UInt64(try fields.integer("last_seq", in: 0...(1 << 53)) ?? 0)
    }

    /// Whether repeating it would change something twice.
    public var changesState: Bool {
        switch content {
        case .subscribe, .acknowledge, .mcpStatus, .hello, .unsupported: false
        default: true
        }
    }
}

extension PromptImage {
    /// The `images` of a prompt.
    static func list(companion values: [JSONValue]) throws(ClientMessageError) -> [PromptImage] {
        guard values.count <= most else { throw .badField("images", "has more than \(most) entries") }
        var images: [PromptImage] = []
        var bytes = 0
        for value in values {
            guard let type = value["media_type"]?.string, mediaTypes.contains(type) else {
                throw .badField("images", "has an entry whose media_type is none of \(mediaTypes.sorted())")
            }
            guard let data = value["data"]?.string, !data.isEmpty, Data(base64Encoded: data) != nil else {
                throw .badField("images", "has an entry whose data is no base64")
            }
            bytes += data.utf8.count
            guard bytes <= mostBytes else { throw .badField("images", "has more than \(mostBytes) bytes of base64") }
            images.append(PromptImage(mediaType: type, data: data))
        }
        return images
    }
}

/// An answer to a permission request.
public struct CompanionPermissionAnswer: Sendable, Equatable {
    public var request: String
    public var allowed: Bool
    public var updatedInput: JSONValue?
    public var updatedPermissions: [JSONValue]
    public var message: String?

    /// What a denial without words says.
    public static let denial = "Denied by user"

    public init(
        request: String, allowed: Bool, updatedInput: JSONValue? = nil, updatedPermissions: [JSONValue] = [],
        message: String? = nil
    ) {
        self.request = request
        self.allowed = allowed
        self.updatedInput = updatedInput
        self.updatedPermissions = updatedPermissions
        self.message = message
    }

    init(_ fields: ClientFields) throws(ClientMessageError) {
        request = try fields.string("request_id", limit: 255)
        switch try fields.string("behavior", limit: 64) {
        case "allow": allowed = true
        case "deny": allowed = false
        default: throw .badField("behavior", "must be 'allow' or 'deny'")
        }
        updatedInput = try fields.object("updated_input")
        updatedPermissions = try fields.array("updated_permissions") ?? []
        message = try fields.optionalString("message", limit: 16 * 1024)
    }

    /// The answer in the session's words. Rules that a browser wants kept are those that the session suggested for this
    /// question, whatever they say: it cannot know of others.
    public var answer: PermissionAnswer {
        PermissionAnswer(
            id: request, decision: allowed ? .allow : .deny, message: allowed ? nil : message ?? Self.denial,
            updatedInput: allowed ? updatedInput : nil,
            remember: allowed && updatedPermissions.contains { Self.isRule($0) } ? .session : nil)
    }

    /// The mode that the browser wants the session to go on in.
    public var mode: String? {
        guard allowed else { return nil }
        return updatedPermissions.last { $0["type"] == "setMode" }?["mode"]?.string
    }

    private static func isRule(_ update: JSONValue) -> Bool {
        ["addRules", "addDirectories"].contains(update["type"]?.string)
    }
}
