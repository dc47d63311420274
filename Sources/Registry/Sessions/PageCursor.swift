import Foundation
import SessionCore

/// Where a page of sessions ended: the sort key of its last row, so that pages stay right while rows come and go.
/// Opaque to callers: base64url of `v1:<milliseconds>:<id>`.
struct PageCursor: Sendable, Hashable {
    var createdAt: Int64
    var id: SessionID

    init(createdAt: Int64, id: SessionID) {
        self.createdAt = createdAt
        self.id = id
    }

    /// - Throws: ``RegistryError/invalid(_:)`` for anything this version did not make.
    init(parsing text: String) throws(RegistryError) {
        var base64 = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        base64 += String(repeating: "=", count: (4 - base64.utf8.count % 4) % 4)
        guard text.utf8.count <= 128, let data = Data(base64Encoded: base64) else { throw Self.invalid }
        let parts = String(decoding: data, as: UTF8.self).split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "v1", let createdAt = Int64(parts[1]), let id = SessionID(parsing: parts[2])
        else { throw Self.invalid }
        self.createdAt = createdAt
        self.id = id
    }

    var text: String {
        Data("v1:\(createdAt):\(id)".utf8).base64EncodedString()
            .replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
            .replacingOccurrences(of: "=", with: "")
    }

    private static let invalid = RegistryError.invalid(
        "the cursor is not one that a list gave: use next_cursor of the page before, or leave it out")
}
