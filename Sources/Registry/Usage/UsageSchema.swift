/// The log of model requests, and the accounts. Neither hangs on a session's row: what was used stays used.
enum UsageSchema {
    static let tables = """
        CREATE TABLE model_requests (
            id TEXT PRIMARY KEY CHECK (length(id) = 36),
            session_id TEXT NOT NULL,
            tenant_id INTEGER NOT NULL REFERENCES tenants (id),
            user_id INTEGER NOT NULL REFERENCES users (id),
            method TEXT NOT NULL,
            path TEXT NOT NULL,
            outcome TEXT NOT NULL
                CHECK (outcome IN ('open', 'complete', 'cut', 'refused', 'unanswered', 'interrupted')),
            model TEXT,
            status INTEGER,
            request_id TEXT,
            input_tokens INTEGER NOT NULL CHECK (input_tokens >= 0),
            output_tokens INTEGER NOT NULL CHECK (output_tokens >= 0),
            cache_read_tokens INTEGER NOT NULL CHECK (cache_read_tokens >= 0),
            cache_write_tokens INTEGER NOT NULL CHECK (cache_write_tokens >= 0),
            cost_nano_usd INTEGER NOT NULL CHECK (cost_nano_usd >= 0),
            started_at INTEGER NOT NULL,
            first_byte_at INTEGER,
            ended_at INTEGER
        ) STRICT;
        CREATE INDEX model_requests_by_session ON model_requests (session_id, started_at DESC, id DESC);
        CREATE INDEX model_requests_by_time ON model_requests (started_at);
        CREATE INDEX model_requests_open ON model_requests (outcome) WHERE outcome = 'open';
        CREATE UNIQUE INDEX model_requests_by_name ON model_requests (session_id, request_id)
            WHERE request_id IS NOT NULL;

        CREATE TABLE usage (
            day TEXT NOT NULL CHECK (length(day) = 10),
            tenant_id INTEGER NOT NULL REFERENCES tenants (id),
            user_id INTEGER NOT NULL REFERENCES users (id),
            session_id TEXT NOT NULL,
            model TEXT NOT NULL,
            requests INTEGER NOT NULL,
            input_tokens INTEGER NOT NULL,
            output_tokens INTEGER NOT NULL,
            cache_read_tokens INTEGER NOT NULL,
            cache_write_tokens INTEGER NOT NULL,
            cost_nano_usd INTEGER NOT NULL,
            PRIMARY KEY (day, tenant_id, user_id, session_id, model)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX usage_by_tenant ON usage (tenant_id, day);
        CREATE INDEX usage_by_session ON usage (session_id);
        """
}
