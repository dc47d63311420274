import Foundation

/// The settings that a session cannot change: `/etc/claude-code/managed-settings.json` of its sandbox.
public enum ManagedSettings {
    /// Path inside the sandbox, to be read-only there.
    public static let path = "/etc/claude-code/managed-settings.json"

    /// How long the CLI waits for a hook's answer, in seconds. Hooks are answered at once; the bound is for a
    /// worker that died.
    static let hookTimeout = 5
    /// A permission may be answered by a person, elsewhere, and a person may be asleep.
    static let permissionTimeout = 7 * 86_400

    /// What Claude Code may do, whatever the session's own settings say.
    public struct Permissions: Sendable, Hashable {
        /// Rules for tools that are used without a question: `Read`, `Bash(git log:*)`.
        public var allow: [String]
        /// Rules for tools that are refused. They go before all others.
        public var deny: [String]
        /// Whether the session may run, or be switched to run, without any question.
        public var bypass: Bool

        public init(allow: [String] = [], deny: [String] = [], bypass: Bool = false) {
            self.allow = allow
            self.deny = deny
            self.bypass = bypass
        }
    }

    /// The settings as JSON text.
    ///
    /// - Parameters:
    ///   - hooks: report the session's doings to the worker. Off for `rookery sandbox run`.
    ///   - channels: MCP servers may be channels. Where there are managed settings at all, Claude Code wants it said.
    public static func json(
        hooks: Bool = true, permissions: Permissions = Permissions(), channels: Bool = false
    ) -> String {
        var rules: [String: Any] = [:]
        if !permissions.allow.isEmpty { rules["allow"] = permissions.allow }
        if !permissions.deny.isEmpty { rules["deny"] = permissions.deny }
        if !permissions.bypass { rules["disableBypassPermissionsMode"] = "disable" }
        var settings: [String: Any] = [
            "disableDeepLinkRegistration": "disable",
            "skipDangerousModePermissionPrompt": true,
        ]
        if !rules.isEmpty { settings["permissions"] = rules }
        if channels { settings["channelsEnabled"] = true }
        if hooks {
            settings["hooks"] = Dictionary(
                uniqueKeysWithValues: HookEvent.allCases.map { event in
                    let hook: [String: Any] = [
                        "type": "http",
                        "url": "\(SessionEnvironment.listener)/hook/\(event.rawValue)",
                        "timeout": event == .permissionRequest ? permissionTimeout : hookTimeout,
                    ]
                    return (event.rawValue, [["hooks": [hook]]])
                })
        }
        guard
            let data = try? JSONSerialization.data(
                withJSONObject: settings, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }
}
