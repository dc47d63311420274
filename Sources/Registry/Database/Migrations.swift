import GRDB
import SessionCore

extension DatabaseMigrator {
    /// Every version of the schema, in order. A migration that was released is never changed.
    static var registry: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("v1") { try $0.execute(sql: Schema.version1) }
        migrator.registerMigration("v2") { try $0.execute(sql: Schema.version2) }
        migrator.registerMigration("v3-revisions") { try $0.execute(sql: Schema.revisions) }
        migrator.registerMigration("v4-remote") { try $0.execute(sql: Schema.remote) }
        migrator.registerMigration("v5-usage") { try $0.execute(sql: UsageSchema.tables) }
        migrator.registerMigration("v6-audit") { try $0.execute(sql: Schema.audit) }
        migrator.registerMigration("v7-credentials") { try $0.execute(sql: CredentialSchema.table) }
        migrator.registerMigration("v8-budgets") { try $0.execute(sql: BudgetSchema.table) }
        migrator.registerMigration("v9-egress") { try $0.execute(sql: EgressSchema.tables) }
        migrator.registerMigration("v10-shares") { try $0.execute(sql: ShareSchema.table) }
        migrator.registerMigration("v11-share-tokens") { try $0.execute(sql: ShareSchema.tokens) }
        migrator.registerMigration("v12-tool-secrets") { try $0.execute(sql: ToolSecretSchema.table) }
        migrator.registerMigration("v13-bodies") { try $0.execute(sql: RequestBodySchema.table) }
        migrator.registerMigration("v14-spares") { try $0.execute(sql: SpareSchema.table) }
        return migrator
    }
}

private enum Schema {
    /// The enumerations are checked by SQLite too: a state nobody knows can then never be stored.
    static func list(_ values: [String]) -> String { values.map { "'\($0)'" }.joined(separator: ", ") }

    /// A deletion that was interrupted must know whether it keeps the workspace.
    static let version2 = "ALTER TABLE sessions ADD COLUMN keeps_workspace INTEGER NOT NULL DEFAULT 0;"

    /// Who decided what: each row holds the hash of the one before, so that none can be changed or taken out unseen. And
    /// what admins allowed to all sessions of their tenant.
    static let audit = """
        CREATE TABLE audit (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            tenant_id INTEGER NOT NULL REFERENCES tenants (id),
            at INTEGER NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            session_id TEXT,
            seq INTEGER,
            detail TEXT NOT NULL CHECK (json_valid(detail)),
            hash BLOB NOT NULL CHECK (length(hash) = 32),
            UNIQUE (session_id, seq, action)
        ) STRICT;
        CREATE INDEX audit_by_tenant ON audit (tenant_id, id DESC);

        CREATE TABLE tenant_rules (
            tenant_id INTEGER NOT NULL REFERENCES tenants (id),
            rule TEXT NOT NULL CHECK (length(rule) BETWEEN 1 AND 512),
            actor TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            PRIMARY KEY (tenant_id, rule)
        ) STRICT;
        """

    /// Which of two copies of a session is the newer.
    static let revisions = "ALTER TABLE sessions ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;"

    /// What dials in from elsewhere: devices with a secret of their own, the terminals that they show, what those ask, and
    /// the last lines of what they said (claude-remote's four tables).
    static let remote = """
        CREATE TABLE devices (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            tenant_id INTEGER NOT NULL REFERENCES tenants (id),
            owner_id INTEGER NOT NULL REFERENCES users (id),
            secret BLOB NOT NULL UNIQUE CHECK (length(secret) = 32),
            name TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            last_seen INTEGER
        ) STRICT;
        CREATE INDEX devices_by_owner ON devices (owner_id);

        CREATE TABLE remote_sessions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            uuid TEXT NOT NULL UNIQUE CHECK (length(uuid) = 36),
            device_id INTEGER NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
            started_at INTEGER NOT NULL,
            ended_at INTEGER,
            exit_code INTEGER,
            cwd TEXT NOT NULL,
            command TEXT NOT NULL
        ) STRICT;
        CREATE INDEX remote_sessions_by_device ON remote_sessions (device_id);

        CREATE TABLE prompts (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            session_id INTEGER NOT NULL REFERENCES remote_sessions (id) ON DELETE CASCADE,
            created_at INTEGER NOT NULL,
            prompt_text TEXT NOT NULL,
            approve_keys TEXT NOT NULL,
            reject_keys TEXT NOT NULL,
            response TEXT,
            responded_at INTEGER,
            responded_by TEXT
        ) STRICT;
        CREATE INDEX prompts_by_session ON prompts (session_id, id);

        CREATE TABLE output_log (
            id INTEGER PRIMARY KEY,
            session_id INTEGER NOT NULL REFERENCES remote_sessions (id) ON DELETE CASCADE,
            timestamp INTEGER NOT NULL,
            line TEXT NOT NULL
        ) STRICT;
        CREATE INDEX output_log_by_session ON output_log (session_id, id);
        """

    static var version1: String {
        let lifecycles = list(Lifecycle.allCases.map(\.rawValue))
        let reasons = list(Reason.allCases.map(\.rawValue))
        let roles = list(Role.allCases.map(\.rawValue))
        let kinds = list(["terminal", "structured", "remote"])
        return """
            CREATE TABLE tenants (
                id INTEGER PRIMARY KEY,
                name TEXT NOT NULL UNIQUE,
                created_at INTEGER NOT NULL
            ) STRICT;

            CREATE TABLE users (
                id INTEGER PRIMARY KEY,
                tenant_id INTEGER NOT NULL REFERENCES tenants (id),
                name TEXT NOT NULL,
                created_at INTEGER NOT NULL,
                UNIQUE (tenant_id, name)
            ) STRICT;

            CREATE TABLE tokens (
                public_id TEXT PRIMARY KEY CHECK (length(public_id) = 12),
                secret_hash BLOB NOT NULL CHECK (length(secret_hash) = 32),
                user_id INTEGER NOT NULL REFERENCES users (id),
                role TEXT NOT NULL CHECK (role IN (\(roles))),
                label TEXT,
                created_at INTEGER NOT NULL,
                last_used_at INTEGER,
                revoked_at INTEGER
            ) STRICT;
            CREATE INDEX tokens_by_user ON tokens (user_id);

            CREATE TABLE sessions (
                id TEXT PRIMARY KEY CHECK (length(id) = 36),
                tenant_id INTEGER NOT NULL REFERENCES tenants (id),
                owner_id INTEGER NOT NULL REFERENCES users (id),
                name TEXT,
                kind TEXT NOT NULL CHECK (kind IN (\(kinds))),
                lifecycle TEXT NOT NULL CHECK (lifecycle IN (\(lifecycles))),
                desired TEXT NOT NULL CHECK (desired IN ('running', 'parked', 'stopped', 'deleted')),
                reason TEXT CHECK (reason IN (\(reasons))),
                detail TEXT,
                incarnation INTEGER NOT NULL CHECK (incarnation >= 1),
                uid_slot INTEGER NOT NULL,
                policy TEXT NOT NULL,
                image TEXT NOT NULL,
                cols INTEGER NOT NULL,
                rows INTEGER NOT NULL,
                model TEXT,
                permission_mode TEXT,
                environment TEXT NOT NULL CHECK (json_valid(environment)),
                labels TEXT NOT NULL CHECK (json_valid(labels)),
                pinned INTEGER NOT NULL CHECK (pinned IN (0, 1)),
                idle_timeout_ms INTEGER CHECK (idle_timeout_ms >= 0),
                max_lifetime_ms INTEGER CHECK (max_lifetime_ms >= 0),
                created_at INTEGER NOT NULL,
                updated_at INTEGER NOT NULL,
                started_at INTEGER,
                last_activity_at INTEGER NOT NULL,
                last_sequence INTEGER NOT NULL CHECK (last_sequence >= 0),
                worker_pid INTEGER,
                worker_start_time INTEGER,
                limits TEXT NOT NULL CHECK (json_valid(limits)),
                cgroups TEXT NOT NULL CHECK (json_valid(cgroups))
            ) STRICT;
            CREATE INDEX sessions_by_tenant ON sessions (tenant_id, created_at DESC, id DESC);
            CREATE INDEX sessions_by_time ON sessions (created_at DESC, id DESC);
            CREATE INDEX sessions_by_lifecycle ON sessions (lifecycle);

            CREATE TABLE transitions (
                id INTEGER PRIMARY KEY,
                session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
                incarnation INTEGER NOT NULL,
                from_state TEXT CHECK (from_state IN (\(lifecycles))),
                to_state TEXT NOT NULL CHECK (to_state IN (\(lifecycles))),
                reason TEXT CHECK (reason IN (\(reasons))),
                detail TEXT,
                actor TEXT NOT NULL,
                seq INTEGER,
                at INTEGER NOT NULL
            ) STRICT;
            CREATE INDEX transitions_by_session ON transitions (session_id, id);

            CREATE TABLE idempotency_keys (
                user_id INTEGER NOT NULL REFERENCES users (id),
                key TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
                body_hash BLOB NOT NULL CHECK (length(body_hash) = 32),
                session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
                created_at INTEGER NOT NULL,
                PRIMARY KEY (user_id, key)
            ) STRICT;
            CREATE INDEX idempotency_keys_by_session ON idempotency_keys (session_id);

            -- Not tied to the session's row: a range is free again only when the directories that its uids own are gone.
            CREATE TABLE uid_slots (
                slot INTEGER PRIMARY KEY CHECK (slot >= 0),
                session_id TEXT NOT NULL UNIQUE
            ) STRICT;

            CREATE TABLE probe (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL) STRICT;
            """
    }
}
