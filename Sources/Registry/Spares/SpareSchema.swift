/// Sandboxes that wait for a session. What is on disk of one that is here is nobody's work, and may go: a session that takes
/// one takes it out of here in the transaction that makes the session.
enum SpareSchema {
    static let table = """
        CREATE TABLE spares (
            session_id TEXT PRIMARY KEY CHECK (length(session_id) = 36),
            tenant_id INTEGER NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
            created_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """
}
