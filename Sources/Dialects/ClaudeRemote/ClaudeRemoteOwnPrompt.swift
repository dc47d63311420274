import Crypto
import Foundation
public import SessionCore

/// Permissions that sessions here ask for, as claude-remote's prompts. They need no row: the number of one follows from its
/// session and its own id, and who answered is in the session's log.
extension ClaudeRemotePrompt {
    /// Numbers of prompts that are rows are below, and every number is exact in JavaScript.
    public static let firstOwn: Int64 = 1 << 52

    /// Bytes of a text; what is longer is cut, and then cannot be approved.
    public static let longest = 32 * 1024

    /// - Parameter permission: as `permission.requested` has it; nil for one without an id.
    public init?(_ session: SessionID, permission: JSONValue) {
        guard let name = permission["id"]?.string else { return nil }
        let shown = [permission["tool_name"]?.string ?? "", permission["visible"]?.string ?? ""]
        let text = shown.filter { !$0.isEmpty }.joined(separator: "\n")
        let isCut = permission["visible"] == nil || text.utf8.count > Self.longest
        let since = permission["since"]?.string.flatMap { try? Date($0, strategy: .rookery) }
        self.init(
            id: Self.number(session, name), sessionID: .own(session), createdAt: since ?? Date(),
            text: isCut ? String(text.prefix(Self.longest / 4)) + "\n… too long to be shown here" : text)
        self.isCut = isCut
    }

    public static func number(_ session: SessionID, _ permission: String) -> Int64 {
        let digest = SHA256.hash(data: Data("\(session)/\(permission)".utf8))
        let number = digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return firstOwn | Int64(number & UInt64(firstOwn - 1))
    }

    /// What `response` is for the end of a permission, as `permission.resolved` has it.
    public static func response(of resolution: JSONValue) -> String {
        switch resolution["resolution"]?.string {
        case "allowed": "approve"
        case "denied": "reject"
        default: "withdrawn"
        }
    }
}

extension ClaudeRemoteAnswer {
    /// What it says to a permission: a number is a place in the dialog, counted from 1, and yes and no are what they say.
    public func answer(to permission: JSONValue) -> PermissionAnswer {
        if let number = Int(value), (1...9).contains(number) {
            return PermissionAnswer(choosing: number - 1, of: permission)
        }
        switch value.lowercased() {
        case "y", "yes", "approve": return PermissionAnswer(choosing: 0, of: permission)
        case "n", "no", "reject": return PermissionAnswer(id: permission["id"]?.string ?? "", decision: .deny)
        default: return PermissionAnswer(words: value, of: permission)
        }
    }
}
