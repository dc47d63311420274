public import Foundation
import GRDB

extension SessionRegistry {
    /// Lines of output kept of one remote session.
    public static let mostOutputLines = 10_000

    public func startRemoteSession(
        device: Int64, directory: String, command: String, at now: Date = Date()
    ) async throws(RegistryError) -> RemoteSessionRecord {
        let record = try await write { database in
            try database.execute(
                sql: """
                    INSERT INTO remote_sessions (uuid, device_id, started_at, cwd, command) VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [
                    UUID().uuidString.lowercased(), device, now.registryMilliseconds, directory, command,
                ])
            return try Self.remoteSession(database.lastInsertedRowID, database)
        }
        guard let record else { throw .corrupt("a remote session that was just made is not there") }
        return record
    }

    /// A session that its device comes back to; nil when it is another's or has ended.
    public func openRemoteSession(_ id: Int64, device: Int64) async throws(RegistryError) -> RemoteSessionRecord? {
        let found = try await read { database in try Self.remoteSession(id, database) }
        guard let found, found.deviceID == device, found.endedAt == nil else { return nil }
        return found
    }

    /// Notes the end of a session, once.
    public func endRemoteSession(
        _ id: Int64, exitCode: Int64?, at now: Date = Date()
    ) async throws(RegistryError) -> RemoteSessionRecord? {
        try await write { database in
            try database.execute(
                sql: "UPDATE remote_sessions SET ended_at = ?, exit_code = ? WHERE id = ? AND ended_at IS NULL",
                arguments: [now.registryMilliseconds, exitCode, id])
            guard database.changesCount > 0 else { return nil }
            return try Self.remoteSession(id, database)
        }
    }

    /// Sessions that were open when a supervisor went, and whose devices did not come back.
    public func unendedRemoteSessions() async throws(RegistryError) -> [RemoteSessionRecord] {
        try await read { database in
            try Row.fetchAll(database, sql: "\(Self.remoteSelection) WHERE remote_sessions.ended_at IS NULL")
                .map(Self.remoteRecord)
        }
    }

    /// Newest first.
    public func remoteSessions(
        visibleTo principal: Principal, limit: Int = 500
    ) async throws(RegistryError) -> [RemoteSessionRecord] {
        let (condition, arguments) = Self.devicePredicate(principal)
        return try await read { database in
            try Row.fetchAll(
                database, sql: "\(Self.remoteSelection) WHERE \(condition) ORDER BY remote_sessions.id DESC LIMIT ?",
                arguments: arguments + [limit]
            ).map(Self.remoteRecord)
        }
    }

    public func remoteSession(
        _ id: Int64, visibleTo principal: Principal
    ) async throws(RegistryError) -> RemoteSessionRecord? {
        let (condition, arguments) = Self.devicePredicate(principal)
        return try await read { database in
            try Row.fetchOne(
                database, sql: "\(Self.remoteSelection) WHERE remote_sessions.id = ? AND \(condition)",
                arguments: [id] + arguments
            ).map(Self.remoteRecord)
        }
    }

    /// Adds lines to a session's log; the oldest go when there are too many.
    public func appendOutput(_ id: Int64, _ lines: [String], at now: Date = Date()) async throws(RegistryError) {
        guard !lines.isEmpty else { return }
        try await write { database in
            let statement = try database.cachedStatement(
                sql: "INSERT INTO output_log (session_id, timestamp, line) VALUES (?, ?, ?)")
            for line in lines.suffix(Self.mostOutputLines) {
                try statement.execute(arguments: [id, now.registryMilliseconds, line])
            }
            try database.execute(
                sql: """
                    DELETE FROM output_log WHERE session_id = ? AND id <= (
                        SELECT id FROM output_log WHERE session_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?)
                    """,
                arguments: [id, id, Self.mostOutputLines])
        }
    }

    /// The last lines, oldest first.
    public func output(of id: Int64, limit: Int) async throws(RegistryError) -> [String] {
        try await read { database in
            try String.fetchAll(
                database, sql: "SELECT line FROM output_log WHERE session_id = ? ORDER BY id DESC LIMIT ?",
                arguments: [id, limit]
            ).reversed()
        }
    }

    // MARK: - Prompts

    /// Notes a question.
    public func addPrompt(
        session: Int64, text: String, approve: String, reject: String, at now: Date = Date()
    ) async throws(RegistryError) -> PromptRecord {
        let record = try await write { database in
            try database.execute(
                sql: """
                    INSERT INTO prompts (session_id, created_at, prompt_text, approve_keys, reject_keys)
                    VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [session, now.registryMilliseconds, text, approve, reject])
            return try Self.prompt(database.lastInsertedRowID, "1", [], database)
        }
        guard let record else { throw .corrupt("a prompt that was just made is not there") }
        return record
    }

    public func prompt(_ id: Int64, visibleTo principal: Principal) async throws(RegistryError) -> PromptRecord? {
        let (condition, arguments) = Self.devicePredicate(principal)
        return try await read { database in try Self.prompt(id, condition, arguments, database) }
    }

    /// Notes an answer: the first one wins.
    /// - Returns: the prompt, and whether this answer was the first; nil when there is none.
    public func answerPrompt(
        _ id: Int64, _ response: String, by name: String, at now: Date = Date()
    ) async throws(RegistryError) -> (record: PromptRecord, isFirst: Bool)? {
        try await write { database in
            try database.execute(
                sql: """
                    UPDATE prompts SET response = ?, responded_at = ?, responded_by = ?
                    WHERE id = ? AND response IS NULL
                    """,
                arguments: [response, now.registryMilliseconds, name, id])
            let isFirst = database.changesCount > 0
            return try Self.prompt(id, "1", [], database).map { ($0, isFirst) }
        }
    }

    /// Takes every open question of a session as answered at its own terminal; answers those it closed.
    public func closePrompts(session: Int64, at now: Date = Date()) async throws(RegistryError) -> [PromptRecord] {
        try await write { database in
            let open = try Int64.fetchAll(
                database, sql: "SELECT id FROM prompts WHERE session_id = ? AND response IS NULL", arguments: [session])
            try database.execute(
                sql:
                    "UPDATE prompts SET response = 'terminal', responded_at = ? WHERE session_id = ? AND response IS NULL",
                arguments: [now.registryMilliseconds, session])
            return try open.compactMap { try Self.prompt($0, "1", [], database) }
        }
    }

    // MARK: - SQL

    static let remoteSelection = """
        SELECT remote_sessions.*,
            (SELECT count(*) FROM prompts
                WHERE prompts.session_id = remote_sessions.id AND prompts.response IS NULL) AS open_prompts
        FROM remote_sessions JOIN devices ON devices.id = remote_sessions.device_id
        """

    static func remoteSession(_ id: Int64, _ database: Database) throws -> RemoteSessionRecord? {
        try Row.fetchOne(database, sql: "\(remoteSelection) WHERE remote_sessions.id = ?", arguments: [id])
            .map(remoteRecord)
    }

    static func remoteRecord(_ row: Row) -> RemoteSessionRecord {
        RemoteSessionRecord(
            id: row["id"], uuid: row["uuid"], deviceID: row["device_id"],
            startedAt: Date(registryMilliseconds: row["started_at"]),
            endedAt: (row["ended_at"] as Int64?).map(Date.init(registryMilliseconds:)), exitCode: row["exit_code"],
            directory: row["cwd"], command: row["command"], openPrompts: row["open_prompts"])
    }

    static func prompt(
        _ id: Int64, _ condition: String, _ arguments: StatementArguments, _ database: Database
    ) throws -> PromptRecord? {
        try Row.fetchOne(
            database,
            sql: """
                SELECT prompts.* FROM prompts JOIN remote_sessions ON remote_sessions.id = prompts.session_id
                    JOIN devices ON devices.id = remote_sessions.device_id
                WHERE prompts.id = ? AND \(condition)
                """,
            arguments: [id] + arguments
        ).map { row in
            PromptRecord(
                id: row["id"], sessionID: row["session_id"], createdAt: Date(registryMilliseconds: row["created_at"]),
                text: row["prompt_text"], approveKeys: row["approve_keys"], rejectKeys: row["reject_keys"],
                response: row["response"],
                respondedAt: (row["responded_at"] as Int64?).map(Date.init(registryMilliseconds:)),
                respondedBy: row["responded_by"])
        }
    }
}
