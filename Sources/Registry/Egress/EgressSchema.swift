/// What sessions moved to and from the world, by days, and what they were refused. Accounts outlive the session, as those
/// of tokens do; refusals go with it.
enum EgressSchema {
    static let tables = """
        -- What a session may reach at most, of what its policy lets out.
        ALTER TABLE sessions ADD COLUMN egress TEXT CHECK (egress IS NULL OR json_valid(egress));

        CREATE TABLE egress_usage (
            day TEXT NOT NULL CHECK (length(day) = 10),
            session_id TEXT NOT NULL,
            tenant_id INTEGER NOT NULL REFERENCES tenants (id),
            user_id INTEGER NOT NULL REFERENCES users (id),
            sent INTEGER NOT NULL CHECK (sent >= 0),
            received INTEGER NOT NULL CHECK (received >= 0),
            connections INTEGER NOT NULL CHECK (connections >= 0),
            PRIMARY KEY (day, session_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX egress_usage_by_tenant ON egress_usage (tenant_id, day);
        CREATE INDEX egress_usage_by_session ON egress_usage (session_id, day);

        CREATE TABLE egress_refusals (
            session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
            target TEXT NOT NULL,
            reason TEXT NOT NULL,
            detail TEXT NOT NULL,
            count INTEGER NOT NULL CHECK (count > 0),
            first_at INTEGER NOT NULL,
            last_at INTEGER NOT NULL,
            PRIMARY KEY (session_id, target, reason)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX egress_refusals_by_time ON egress_refusals (session_id, last_at DESC);
        """
}
