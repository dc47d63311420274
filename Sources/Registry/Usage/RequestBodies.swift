public import Foundation
import GRDB
public import SessionCore

/// Bodies of requests to the model, of sessions whose policies have them kept. They go with their session.
enum RequestBodySchema {
    static let table = """
        CREATE TABLE model_request_bodies (
            id TEXT PRIMARY KEY REFERENCES model_requests (id) ON DELETE CASCADE,
            session_id TEXT NOT NULL,
            kept_at INTEGER NOT NULL,
            request BLOB NOT NULL,
            request_bytes INTEGER NOT NULL,
            answer BLOB NOT NULL,
            answer_bytes INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX model_request_bodies_by_session ON model_request_bodies (session_id, kept_at DESC, id DESC);
        CREATE TRIGGER model_request_bodies_of_deleted AFTER UPDATE OF lifecycle ON sessions
            WHEN NEW.lifecycle = 'deleted'
        BEGIN
            DELETE FROM model_request_bodies WHERE session_id = NEW.id;
        END;
        """
}

/// What is kept of a request's body and of its answer's: their beginnings, and how long they were.
public struct LoggedBodies: Sendable, Hashable {
    public var request: Data
    public var requestBytes: Int64
    public var answer: Data
    public var answerBytes: Int64

    public init(request: Data, requestBytes: Int64, answer: Data, answerBytes: Int64) {
        self.request = request
        self.requestBytes = requestBytes
        self.answer = answer
        self.answerBytes = answerBytes
    }
}

extension SessionRegistry {
    /// Of one session; older ones make room.
    public static let mostKeptBodies = 100

    /// Keeps what is to be kept of a request that is in the log; of another, or of a session that was deleted, nothing.
    public func keep(_ bodies: LoggedBodies, of request: UUID, at time: Date) async throws(RegistryError) {
        try await write { database in
            try database.execute(
                sql: """
                    INSERT OR REPLACE INTO model_request_bodies
                        (id, session_id, kept_at, request, request_bytes, answer, answer_bytes)
                    SELECT model_requests.id, session_id, ?, ?, ?, ?, ? FROM model_requests
                    JOIN sessions ON sessions.id = session_id AND lifecycle <> 'deleted' WHERE model_requests.id = ?
                    """,
                arguments: [
                    time.registryMilliseconds, bodies.request, bodies.requestBytes, bodies.answer, bodies.answerBytes,
                    request.uuidString,
                ])
            try database.execute(
                sql: """
                    DELETE FROM model_request_bodies WHERE id IN (
                        SELECT id FROM model_request_bodies
                        WHERE session_id = (SELECT session_id FROM model_requests WHERE id = ?)
                        ORDER BY kept_at DESC, id DESC LIMIT -1 OFFSET ?)
                    """,
                arguments: [request.uuidString, Self.mostKeptBodies])
        }
    }

    /// One request of a session that the caller may see, and what is kept of its bodies.
    /// - Returns: nil where there is no such request.
    public func request(
        _ request: UUID, of id: SessionID, visibleTo principal: Principal
    ) async throws(RegistryError) -> (request: LoggedRequest, bodies: LoggedBodies?)? {
        var (conditions, arguments) = Self.visibleUsage("model_requests", to: principal)
        conditions += ["model_requests.session_id = ?", "model_requests.id = ?"]
        arguments += [id.description, request.uuidString]
        let (sql, values) = (
            "SELECT * FROM model_requests WHERE \(conditions.joined(separator: " AND "))", arguments
        )
        return try await read { database in
            guard let row = try Row.fetchOne(database, sql: sql, arguments: values) else { return nil }
            let bodies = try Row.fetchOne(
                database, sql: "SELECT * FROM model_request_bodies WHERE id = ?", arguments: [request.uuidString]
            ).map {
                LoggedBodies(
                    request: $0["request"], requestBytes: $0["request_bytes"], answer: $0["answer"],
                    answerBytes: $0["answer_bytes"])
            }
            return (try Self.request(row, id), bodies)
        }
    }

    /// The name of a session's policy; nil where there is no such session.
    public func policy(of id: SessionID) async throws(RegistryError) -> String? {
        try await read {
            try String.fetchOne($0, sql: "SELECT policy FROM sessions WHERE id = ?", arguments: [id.description])
        }
    }
}
