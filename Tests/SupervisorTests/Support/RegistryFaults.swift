import Foundation
import GRDB
import SessionCore

@testable import Registry

extension SessionRegistry {
    /// Makes every change of a session fail as a broken disk would.
    func makeUnwritable(_ on: Bool) async throws {
        try await write { database in
            try database.execute(
                sql: on
                    ? """
                    CREATE TRIGGER broken BEFORE UPDATE ON sessions
                    BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END
                    """ : "DROP TRIGGER broken")
        }
    }

    /// Gives a token another role.
    func setRole(_ role: Role, of token: String) async throws {
        try await write { database in
            try database.execute(
                sql: "UPDATE tokens SET role = ? WHERE public_id = ?", arguments: [role.rawValue, token])
        }
    }

    /// Puts a running session back to where a supervisor that was killed amid the start leaves it.
    func rewind(_ id: SessionID) async throws {
        try await write { database in
            try database.execute(
                sql: "UPDATE sessions SET lifecycle = 'starting', worker_pid = NULL, started_at = NULL WHERE id = ?",
                arguments: [id.description])
        }
    }
}
