import Yams

/// What the supervisor carries out: idle times, journal, bounds of requests, the terminal's size.
extension PolicyFile {
    func idle(
        _ key: PolicyKey, _ value: PolicyValue, _ reading: inout PolicyReading
    ) throws(FileFault) {
        func span(_ range: ClosedRange<TimeSpan>) throws(FileFault) -> TimeSpan? {
            try value.optional("never") { value throws(FileFault) in try value.span(in: range) }
        }
        switch key {
        case .idleTimeout: reading.policy.idle.timeout = try span(PolicyBounds.idleTimeout)
        case .reapWarning: reading.policy.idle.warning = try value.span(in: PolicyBounds.reapWarning)
        case .grace: reading.policy.idle.grace = try value.span(in: PolicyBounds.grace)
        case .maxLifetime: reading.policy.idle.maxLifetime = try span(PolicyBounds.maxLifetime)
        case .freezeAfter: reading.policy.idle.freezeAfter = try span(PolicyBounds.idleTimeout)
        default: reading.policy.idle.wakes = try value.words("a reason to wake", of: WakeReason.self)
        }
    }

    func journal(_ value: PolicyValue, _ reading: inout PolicyReading) throws(FileFault) {
        for (key, value) in try reading.entries(of: value.node, prefix: "journal.", as: JournalKey.self) {
            reading.attempt { reading throws(FileFault) in
                switch key {
                case .bytes: reading.policy.journal.bytes = try value.size(in: PolicyBounds.journalBytes)
                case .age:
                    reading.policy.journal.age = try value.optional("none") { value throws(FileFault) in
                        try value.span(in: PolicyBounds.journalAge)
                    }
                }
            }
        }
    }

    func size(_ value: PolicyValue, _ reading: inout PolicyReading) throws(FileFault) {
        for (key, value) in try reading.entries(of: value.node, prefix: "size.", as: SizeKey.self) {
            reading.attempt { reading throws(FileFault) in
                switch key {
                case .cols: reading.policy.size.cols = try value.integer(in: PolicyBounds.cols)
                case .rows: reading.policy.size.rows = try value.integer(in: PolicyBounds.rows)
                }
            }
        }
    }

    func spares(_ value: PolicyValue, _ reading: inout PolicyReading) throws(FileFault) {
        for (key, value) in try reading.entries(of: value.node, prefix: "spares.", as: SparesKey.self) {
            reading.attempt { reading throws(FileFault) in
                switch key {
                case .count: reading.policy.spares.count = try value.integer(in: PolicyBounds.spareCount)
                case .age: reading.policy.spares.age = try value.span(in: PolicyBounds.spareAge)
                case .linger: reading.policy.spares.linger = try value.span(in: PolicyBounds.spareLinger)
                }
            }
        }
    }

    func bounds(_ value: PolicyValue, _ reading: inout PolicyReading) throws(FileFault) {
        for (key, value) in try reading.entries(of: value.node, prefix: "bounds.", as: BoundsKey.self) {
            reading.attempt { reading throws(FileFault) in try bound(key, value, &reading.policy.bounds) }
        }
    }

    private func bound(
        _ key: BoundsKey, _ value: PolicyValue, _ bounds: inout RequestBounds
    ) throws(FileFault) {
        switch key {
        case .permissionModes: bounds.permissionModes = try value.words("a permission mode", of: PermissionMode.self)
        case .models:
            bounds.models = try value.optional("any") { value throws(FileFault) in
                try value.distinct(most: RequestBounds.mostNames) { value throws(FileFault) in try value.model() }
            }
        case .environment: bounds.environment = try value.truth()
        case .images:
            bounds.images = try value.distinct(most: RequestBounds.mostNames) { value throws(FileFault) in
                try value.image()
            }
        case .idleTimeout:
            bounds.idleTimeout = try value.optional("any") { value throws(FileFault) in
                try value.span(in: PolicyBounds.idleTimeout)
            }
        case .maxLifetime:
            bounds.maxLifetime = try value.optional { value throws(FileFault) in
                try value.span(in: PolicyBounds.maxLifetime)
            }
        }
    }
}

extension PolicyValue {
    /// A list of texts in the file's order, none twice.
    func distinct(
        most: Int, _ read: (PolicyValue) throws(FileFault) -> String
    ) throws(FileFault) -> [String] {
        var found: [String] = []
        for value in try list(most: most) {
            let text = try read(value)
            guard !found.contains(text) else { throw value.fault("is there twice", remedy: "keep one") }
            found.append(text)
        }
        return found
    }

    /// Rules of Claude Code: a tool's name, or `Name(what)`.
    func tools() throws(FileFault) -> [String] {
        try distinct(most: ClaudeRules.mostTools) { value throws(FileFault) in
            try value.text(
                most: ClaudeRules.longestTool, "a rule for a tool",
                remedy: "write a tool's name, or as in 'Bash(git log:*)' what it may be used for",
                where: ClaudeRules.isTool)
        }
    }
}
