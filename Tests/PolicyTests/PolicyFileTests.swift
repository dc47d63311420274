import Testing

@testable import Policy

@Suite struct PolicyFileTests {
    let file = PolicyFile(path: "/etc/p/team.yaml")

    @Test("an empty file or one of comments is the standard policy", arguments: ["", "# nothing\n", "---\n"])
    func empty(text: String) throws {
        // `---` alone is a document that is null, not nothing.
        guard text != "---\n" else {
            #expect(throws: PolicyError.self) { try file.parse(text, name: "team") }
            return
        }
        let policy = try file.parse(text, name: "team")
        #expect(policy == SessionPolicy(name: "team"))
    }

    @Test func everyKeyIsRead() throws {
        let policy = try file.parse(
            """
            name: team
            image: host
            limits: {memory: 1GiB, cpu_percent: 50, pids: 64, open_files: 256, temporary: 16MiB}
            permission_mode: acceptEdits
            model: claude-opus-4-1[1m]
            environment: {EDITOR: vi, COUNT: 3, FLAG: "yes"}
            idle_timeout: 90s
            reap_warning: 5s
            grace: 2s
            max_lifetime: 8h
            log_bytes: 1MiB
            size: {cols: 120, rows: 40}
            """, name: "team")
        #expect(
            policy
                == SessionPolicy(
                    name: "team",
                    sandbox: SandboxRules(
                        limits: ResourceLimits(
                            memory: .gibibytes(1), cpuPercent: 50, pids: 64, openFiles: 256, temporary: .mebibytes(16),
                            disk: .gibibytes(5))),
                    environment: ["EDITOR": "vi", "COUNT": "3", "FLAG": "yes"],
                    claude: ClaudeRules(permissionMode: .acceptEdits, model: "claude-opus-4-1[1m]"),
                    idle: IdleRules(
                        timeout: .seconds(90), warning: .seconds(5), grace: .seconds(2), maxLifetime: .hours(8)),
                    logBytes: .mebibytes(1),
                    size: InitialSize(cols: 120, rows: 40)))
    }

    @Test func whatIsNotWrittenIsStandard() throws {
        let policy = try file.parse("limits:\n  pids: 100\n", name: "team")
        #expect(policy.sandbox.limits.pids == 100)
        #expect(policy.sandbox.limits.memory == ResourceLimits.standard.memory)
        #expect(policy.idle.timeout == .minutes(20))
    }

    @Test("never is no bound", arguments: ["never", "null", "~", ""])
    func never(word: String) throws {
        let policy = try file.parse("idle_timeout: \(word)\nmax_lifetime: \(word)\n", name: "team")
        #expect(policy.idle.timeout == nil)
        #expect(policy.idle.maxLifetime == nil)
    }

    @Test func aSmallMemoryShrinksTheUnwrittenTemporary() throws {
        let policy = try file.parse("limits: {memory: 256MiB}", name: "team")
        #expect(policy.sandbox.limits.temporary == .mebibytes(256))
    }

    static let faults: [(text: String, key: String?, says: String)] = [
        ("idle_timeot: 20m", "idle_timeot", "unknown key"),
        ("limits: {memroy: 2GiB}", "limits.memroy", "unknown key"),
        ("limits: 5", "limits", "not a mapping"),
        ("- a", nil, "not a mapping"),
        ("a: b: c", nil, "not YAML"),
        ("grace: 1s\ngrace: 2s", nil, "duplicated"),
        ("limits: {memory: 2GB}", "limits.memory", "not a size"),
        ("limits: {memory: 255MiB}", "limits.memory", "out of bounds"),
        ("limits: {memory: 2TiB}", "limits.memory", "out of bounds"),
        ("limits: {memory: -1}", "limits.memory", "not a size"),
        ("limits: {memory: [1]}", "limits.memory", "list"),
        ("limits: {memory: 1GiB, temporary: 2GiB}", "limits.temporary", "out of bounds"),
        ("limits: {cpu_percent: 4}", "limits.cpu_percent", "out of bounds"),
        ("limits: {cpu_percent: 1.5}", "limits.cpu_percent", "not a whole number"),
        ("limits: {cpu_percent: \"200\"}", "limits.cpu_percent", "not a whole number"),
        ("limits: {pids: 15}", "limits.pids", "out of bounds"),
        ("limits: {pids: 99999999999999999999}", "limits.pids", "not a whole number"),
        ("limits: {open_files: 63}", "limits.open_files", "out of bounds"),
        ("permission_mode: yolo", "permission_mode", "not a permission mode"),
        ("permission_mode: true", "permission_mode", "not text"),
        ("image: debian", "image", "not an image"),
        ("name: other", "name", "not the file's name"),
        ("model: --help", "model", "not a model"),
        ("model: 'a b'", "model", "not a model"),
        ("environment: {HOME: /x}", "environment.HOME", "set by the supervisor"),
        ("environment: {ANTHROPIC_API_KEY: k}", "environment.ANTHROPIC_API_KEY", "set by the supervisor"),
        ("environment: {FLAG: yes}", "environment.FLAG", "not text"),
        ("environment: {FLAG: }", "environment.FLAG", "not text"),
        ("environment: {'a b': c}", "environment", "not a variable's name"),
        ("environment: {A: \"x\\0y\"}", "environment", "NUL"),
        ("environment: [A]", "environment", "not a mapping"),
        ("idle_timeout: soon", "idle_timeout", "not a time"),
        ("idle_timeout: 0s", "idle_timeout", "out of bounds"),
        ("idle_timeout: -5m", "idle_timeout", "not a time"),
        ("grace: 1h", "grace", "out of bounds"),
        ("grace: never", "grace", "not a time"),
        ("log_bytes: 1KiB", "log_bytes", "out of bounds"),
        ("size: {cols: 1}", "size.cols", "out of bounds"),
        ("size: {depth: 1}", "size.depth", "unknown key"),
        ("? [a]\n: b", nil, "not a word"),
    ]

    @Test("a fault names the file, the key and the remedy", arguments: faults.indices)
    func fault(index: Int) throws {
        let fault = Self.faults[index]
        let error = #expect(throws: PolicyError.self) { try file.parse(fault.text, name: "team") }
        let found = try #require(error)
        #expect(found.file == "/etc/p/team.yaml")
        #expect(found.key == fault.key)
        #expect("\(found)".contains(fault.says), "\(found)")
        #expect(!found.remedy.isEmpty)
    }

    @Test func aFaultNamesTheLine() throws {
        let error = #expect(throws: PolicyError.self) {
            try file.parse("grace: 1s\n\nlimits:\n  pids: 1\n", name: "team")
        }
        #expect(error?.line == 4)
        #expect(error.map { "\($0)" }?.hasPrefix("/etc/p/team.yaml:4: limits.pids: ") == true)
    }
}
