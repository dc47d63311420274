public import Foundation

/// One line for the CLI's standard input in stream-json. A line that is no JSON ends the CLI: everything that goes there is
/// encoded here, and nothing is passed through.
public enum StreamRequest: Sendable {
    /// The CLI takes one `id` once, also over a resumption.
    case prompt(id: String, text: String, images: [StreamImage])
    case control(id: String, StreamControl)
    case allow(question: String, StreamAllowance)
    /// `interrupts`: the turn ends too.
    case deny(question: String, message: String, interrupts: Bool)
    /// The question cannot be answered here.
    case decline(question: String, reason: String)
}

/// A question's `allow`.
public struct StreamAllowance: Sendable, Hashable {
    /// JSON text of an object: the tool's input; nil leaves it as it was asked about.
    public var updatedInput: String?
    /// JSON text of a list: rules that hold from now on.
    public var updatedPermissions: String?

    public init(updatedInput: String? = nil, updatedPermissions: String? = nil) {
        self.updatedInput = updatedInput
        self.updatedPermissions = updatedPermissions
    }
}

public struct StreamImage: Sendable, Hashable {
    public var mediaType: String
    /// Base64.
    public var data: String

    public init(mediaType: String, data: String) {
        self.mediaType = mediaType
        self.data = data
    }
}

public enum StreamControl: Sendable, Hashable {
    case interrupt
    case setModel(String)
    case setPermissionMode(String)
    case rename(String)
    case mcpStatus
    case mcpToggle(server: String, enabled: Bool)
    case mcpReconnect(server: String)
    case stopTask(String)
    /// Takes a prompt out of the CLI's queue.
    case withdraw(prompt: String)
    /// Which build it is.
    case version
    /// Binds a CLI that waits for it to its session; see ``SpareCLI``.
    case claim(directory: String, permissionMode: String?)

    var members: [String: Any] {
        switch self {
        case .interrupt: ["subtype": "interrupt"]
        case .setModel(let model): ["subtype": "set_model", "model": model]
        case .setPermissionMode(let mode): ["subtype": "set_permission_mode", "mode": mode]
        case .rename(let title): ["subtype": "rename_session", "title": title]
        case .mcpStatus: ["subtype": "mcp_status"]
        case .mcpToggle(let server, let enabled): ["subtype": "mcp_toggle", "serverName": server, "enabled": enabled]
        case .mcpReconnect(let server): ["subtype": "mcp_reconnect", "serverName": server]
        case .stopTask(let task): ["subtype": "stop_task", "task_id": task]
        case .withdraw(let prompt): ["subtype": "cancel_async_message", "message_uuid": prompt]
        case .version: ["subtype": "get_binary_version"]
        case .claim(let directory, let mode):
            ["subtype": "claim_session", "cwd": directory].merging(mode.map { ["permission_mode": $0] } ?? [:]) { $1 }
        }
    }
}

extension StreamRequest {
    /// The line with its end. nil when a JSON text in it is none.
    public var line: Data? {
        guard let members, JSONSerialization.isValidJSONObject(members),
            var data = try? JSONSerialization.data(
                withJSONObject: members, options: [.sortedKeys, .withoutEscapingSlashes])
        else { return nil }
        data.append(0x0a)
        return data
    }

    private var members: [String: Any]? {
        switch self {
        case .prompt(let id, let text, let images):
            var content: Any = text
            if !images.isEmpty {
                var blocks: [[String: Any]] = text.isEmpty ? [] : [["type": "text", "text": text]]
                blocks += images.map { image in
                    [
                        "type": "image",
                        "source": ["type": "base64", "media_type": image.mediaType, "data": image.data],
                    ]
                }
                content = blocks
            }
            return [
                "type": "user", "message": ["role": "user", "content": content], "parent_tool_use_id": NSNull(),
                "session_id": "", "uuid": id,
            ]
        case .control(let id, let request):
            return ["type": "control_request", "request_id": id, "request": request.members]
        case .allow(let question, let allowance):
            var answer: [String: Any] = ["behavior": "allow"]
            if let text = allowance.updatedInput {
                guard let input = Self.value(text) as? [String: Any] else { return nil }
                answer["updatedInput"] = input
            }
            if let text = allowance.updatedPermissions {
                guard let rules = Self.value(text) as? [Any] else { return nil }
                answer["updatedPermissions"] = rules
            }
            return Self.response(question, "response", answer)
        case .deny(let question, let message, let interrupts):
            var answer: [String: Any] = ["behavior": "deny", "message": message]
            if interrupts { answer["interrupt"] = true }
            return Self.response(question, "response", answer)
        case .decline(let question, let reason): return Self.response(question, "error", reason)
        }
    }

    private static func response(_ question: String, _ key: String, _ content: Any) -> [String: Any] {
        [
            "type": "control_response",
            "response": [
                "subtype": key == "response" ? "success" : "error", "request_id": question, key: content,
            ],
        ]
    }

    private static func value(_ text: String) -> Any? {
        try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    }
}
