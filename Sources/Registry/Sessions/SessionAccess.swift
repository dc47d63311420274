import GRDB
import SessionCore

/// Who sees and who changes which sessions. An operator: all of the box. An admin: its tenant's. A viewer or an
/// approver: its tenant's, reading only. A user: its own. Whoever came by a share link: that link's.
enum SessionAccess {
    case read, change

    /// A condition on the `sessions` table, for the WHERE of every query on a caller's behalf.
    func predicate(for principal: Principal) -> (sql: String, arguments: StatementArguments) {
        if let share = principal.share {
            guard self == .read || share.role == .drive else { return ("0", []) }
            return ("sessions.tenant_id = ? AND sessions.id = ?", [principal.tenantID, share.session.description])
        }
        return switch (principal.role, self) {
        case (.operator, _): ("1", [])
        case (.admin, _), (.viewer, .read), (.approver, .read): ("sessions.tenant_id = ?", [principal.tenantID])
        case (.user, _):
            ("sessions.tenant_id = ? AND sessions.owner_id = ?", [principal.tenantID, principal.userID])
        case (.viewer, .change), (.approver, .change): ("0", [])
        }
    }
}

extension Principal {
    /// True when the caller may see the session; the same rule as the predicate in the SQL.
    public func maySee(_ record: SessionRecord) -> Bool {
        if let share { return record.tenantID == tenantID && record.id == share.session }
        return switch role {
        case .operator: true
        case .admin, .viewer, .approver: record.tenantID == tenantID
        case .user: record.tenantID == tenantID && record.ownerID == userID
        }
    }

    /// True when the caller may start, stop, type into, change or remove the session.
    public func mayChange(_ record: SessionRecord) -> Bool {
        switch role {
        case .operator, .admin, .user: maySee(record)
        case .viewer, .approver: false
        }
    }
}
