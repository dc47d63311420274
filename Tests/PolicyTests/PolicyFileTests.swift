import Testing

@testable import Policy

@Suite struct PolicyFileTests {
    let file = PolicyFile(path: "/etc/p/team.yaml")

    @Test("an empty file or one of comments is the standard policy", arguments: ["", "# nothing\n", "---\n"])
    func empty(text: String) throws {
        // `---` alone is a document that is null, not nothing.
        guard text != "---\n" else {
            #expect(throws: FileFault.self) { try file.parse(text, name: "team") }
            return
        }
        let policy = try file.parse(text, name: "team")
        #expect(policy == SessionPolicy(name: "team"))
    }

    @Test func everyKeyIsRead() throws {
        let policy = try file.parse(GoodPolicies.everyKey, name: "team")
        #expect(
            policy
                == SessionPolicy(
                    name: "team", description: "For the team.",
                    sandbox: SandboxRules(
                        image: "dev", system: .overlay,
                        mounts: [
                            PolicyMount(source: "/srv/data", target: "/data"),
                            PolicyMount(source: "/srv/cache", target: "/workspace/cache", writable: true),
                        ],
                        limits: ResourceLimits(
                            memory: .gibibytes(1), memoryHigh: .mebibytes(900), swap: .mebibytes(128), cpuPercent: 50,
                            cpuWeight: 200, processors: .allButOne, pids: 64, openFiles: 256, fileSize: .gibibytes(1),
                            temporary: .mebibytes(16), sharedMemory: .mebibytes(8), disk: .gibibytes(3),
                            inodes: 100_000, unwritten: .mebibytes(4), ioWeight: 300),
                        required: ["memory", "landlock"],
                        seccomp: SeccompRules(profile: .strict, allow: ["sysinfo"], refuse: ["socketpair"]),
                        capabilities: ["net_bind_service"], devices: ["/dev/kvm"], network: .none),
                    egress: EgressPolicy(
                        mode: .none,
                        allow: [
                            EgressTarget(host: "pypi.org"), EgressTarget(host: "*.debian.org", ports: [80, 443]),
                            EgressTarget(host: "deb.debian.org", ports: [80], methods: ["GET", "HEAD"]),
                            EgressTarget(host: "git.example.com", ports: [22], tls: false),
                        ],
                        connections: 8, bandwidth: .mebibytes(1), daily: .gibibytes(2), tenantConnections: 100,
                        tenantBandwidth: .mebibytes(10), tenantDaily: .gibibytes(20)),
                    environment: ["EDITOR": "vi", "COUNT": "3", "FLAG": "yes"],
                    claude: ClaudeRules(
                        permissionMode: .acceptEdits, allowedTools: ["Read", "Bash(git log:*)"],
                        deniedTools: ["WebFetch"], model: "claude-opus-4-1[1m]", channels: true),
                    idle: IdleRules(
                        timeout: .seconds(90), warning: .seconds(5), grace: .seconds(2), maxLifetime: .hours(8),
                        freezeAfter: .seconds(30), wakes: [.input]),
                    logBytes: .mebibytes(1), requestBodies: ByteSize(bytes: 64 << 10),
                    journal: JournalRules(bytes: .mebibytes(32), age: .hours(48)),
                    permissions: PermissionRules(
                        allow: [
                            "Glob", "mcp__tickets", "Bash(git log:*)", "Edit(./src/**)", "WebFetch(domain:docs.rs)",
                        ], timeout: .minutes(5)),
                    bounds: RequestBounds(
                        permissionModes: [.plan], models: ["opus"], environment: false, images: ["minimal"],
                        idleTimeout: .hours(1), maxLifetime: .hours(12)),
                    size: InitialSize(cols: 120, rows: 40),
                    spares: SpareRules(count: 2, age: .minutes(30), linger: .hours(2))))
    }

    @Test func theExampleOfEveryKeyHasEveryKey() throws {
        let lines = GoodPolicies.everyKey.split(separator: "\n")
        for key in PolicyKey.allCases where key != .extends && key != .trusted {
            #expect(lines.contains { $0.hasPrefix("\(key.rawValue):") }, "\(key.rawValue)")
        }
    }

    @Test("a good policy says the same when it is written out and read again", arguments: GoodPolicies.all)
    func roundTrip(text: String) throws {
        let policy = try file.parse(text, name: "team")
        let written = PolicyTree(policy).yaml
        #expect(try file.parse(written, name: "team") == policy, "\(written)")
    }

    @Test func whatIsNotWrittenIsStandard() throws {
        let policy = try file.parse("limits:\n  pids: 100\n", name: "team")
        #expect(policy.sandbox.limits.pids == 100)
        #expect(policy.sandbox.limits.memory == ResourceLimits.standard.memory)
        #expect(policy.idle.timeout == .minutes(20))
    }

    @Test(
        "a rule that only Claude Code could judge answers nothing",
        arguments: [
            "Bash(git *)", "Bash(a && b:*)", "Bash(:*)", "Bash( ls)", "Edit(/src/**)", "Edit(src/*.ts)",
            "Edit(./../**)",
            "Read(~/x)", "WebFetch(docs.rs)", "WebFetch(domain:*.rs)", "Agent(x)", "mcp__a__b(x)", "(x)", "",
        ])
    func unjudged(rule: String) {
        #expect(throws: FileFault.self) { try file.parse("permission_allow: ['\(rule)']\n", name: "team") }
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
        ("grace: 1s\ngrace: 2s", nil, "written twice"),
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
        ("image: Debian", "image", "not an image"), ("image: ../x", "image", "not an image"),
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
        ("request_bodies: 2MiB", "request_bodies", "out of bounds"),
        ("size: {cols: 1}", "size.cols", "out of bounds"),
        ("size: {depth: 1}", "size.depth", "unknown key"),
        ("? [a]\n: b", nil, "not a word"),
        ("version: 2", "version", "not a version"),
        ("idle_timeot: 20m", "idle_timeot", "did you mean 'idle_timeout'?"),
        ("limits: {memroy: 2GiB}", "limits.memroy", "did you mean 'memory'?"),
        ("x: &a 1", nil, "an anchor"), ("x: [\"a\",&a 1]", nil, "an anchor"), ("x: *a", nil, "not YAML"),
        ("x: 1\u{2028}y: 2", nil, "line break"),
        ("description: \"a\\nb\"", "description", "not a description"),
        ("system: writable", "system", "use one of read-only, overlay"),
        ("limits: {inodes: many}", "limits.inodes", "not a whole number"),
        ("limits: {memory: none}", "limits.memory", "not a size"),
        ("limits: {processors: most}", "limits.processors", "all-but-one or all"),
        ("limits: {processors: 0}", "limits.processors", "out of bounds"),
        ("limits: {processors: [0, 1]}", "limits.processors", "is a list"),
        ("limits: {unwritten: 4KiB}", "limits.unwritten", "out of bounds"),
        ("limits: {unwritten: all}", "limits.unwritten", "not a size"),
        ("limits: {cpu_weight: 0}", "limits.cpu_weight", "out of bounds"),
        ("require: memory", "require", "not a list"), ("require: [memori]", "require[0]", "did you mean 'memory'?"),
        ("require: [pids, pids]", "require[1]", "twice"), ("require: [namespaces]", "require[0]", "can be required"),
        ("seccomp: {profile: none}", "seccomp.profile", "not a seccomp profile"),
        ("seccomp: {allow: [mount]}", "seccomp.allow[0]", "leads out"),
        ("seccomp: {allow: [read, \"a b\"]}", "seccomp.allow[1]", "not a system call"),
        ("seccomp: {allow: [ioctl]}", "seccomp.allow[0]", "harmless arguments only"),
        ("seccomp: {refuse: [execve]}", "seccomp.refuse[0]", "needed by every program"),
        ("capabilities: [sys_admin]", "capabilities[0]", "not a capability that"),
        ("capabilities: [CAP_CHOWN]", "capabilities[0]", "not a capability that"),
        ("devices: [/dev/sda]", "devices[0]", "leads out"), ("devices: [kvm]", "devices[0]", "not absolute"),
        ("devices: [/dev/kvm, /dev/kvm]", "devices[1]", "twice"),
        ("mounts: [/srv]", "mounts[0]", "not a mapping"), ("mounts: [{source: /srv}]", "mounts[0]", "has no target"),
        ("mounts: [{source: /, target: /data}]", "mounts[0].source", "whole host"),
        ("mounts: [{source: /a/../b, target: /data}]", "mounts[0].source", "'..'"),
        ("mounts: [{source: /srv, target: /proc/x}]", "mounts[0].target", "is in /proc"),
        ("mounts: [{source: /srv, target: /workspace}]", "mounts[0].target", "would hide /workspace"),
        ("mounts: [{source: /srv, target: /d, access: rw}]", "mounts[0].access", "not an access"),
        ("mounts: [{source: /srv, target: /d, mode: 1}]", "mounts[0].mode", "unknown key"),
        ("network: bridge", "network", "not a network"), ("trusted: yes", "trusted", "not true or false"),
        ("channels: 1", "channels", "not true or false"),
        ("channels: [x]", "channels", "is a list or a mapping"),
        ("allowed_tools: Read", "allowed_tools", "not a list"),
        ("allowed_tools: ['Bash(']", "allowed_tools[0]", "not a rule"),
        ("denied_tools: ['a b']", "denied_tools[0]", "not a rule"),
        ("wakes: [knock]", "wakes[0]", "not a reason"), ("wakes: [input, input]", "wakes[1]", "twice"),
        ("journal: {bytes: 1}", "journal.bytes", "out of bounds"), ("journal: 64MiB", "journal", "not a mapping"),
        ("spares: {count: 9}", "spares.count", "out of bounds"), ("spares: {age: 10s}", "spares.age", "out of bounds"),
        ("spares: {linger: never}", "spares.linger", "not a time"), ("spares: 2", "spares", "not a mapping"),
        ("permission_timeout: 0", "permission_timeout", "out of bounds"),
        ("freeze_after: 0s", "freeze_after", "out of bounds"),
        ("bounds: {permission_modes: [yolo]}", "bounds.permission_modes[0]", "not a permission mode"),
        ("bounds: {models: [--x]}", "bounds.models[0]", "not a model"),
        ("bounds: {environment: maybe}", "bounds.environment", "not true or false"),
        ("bounds: {images: [a, a]}", "bounds.images[1]", "twice"),
        ("bounds: {max_lifetime: 11y}", "bounds.max_lifetime", "not a time"),
        ("extends: other", "extends", "no policy 'other'"),
    ]

    @Test("a fault names the file, the key and the remedy", arguments: faults.indices)
    func fault(index: Int) throws {
        let fault = Self.faults[index]
        let error = #expect(throws: FileFault.self) { try file.parse(fault.text, name: "team") }
        let found = try #require(error)
        #expect(found.file == "/etc/p/team.yaml")
        #expect(found.key == fault.key)
        #expect("\(found)".contains(fault.says), "\(found)")
        #expect(!found.remedy.isEmpty)
    }

    @Test func aFaultNamesTheLine() throws {
        let error = #expect(throws: FileFault.self) {
            try file.parse("grace: 1s\n\nlimits:\n  pids: 1\n", name: "team")
        }
        #expect(error?.line == 4)
        #expect(error.map { "\($0)" }?.hasPrefix("/etc/p/team.yaml:4: limits.pids: ") == true)
    }

    static let contradictions: [(text: String, key: String, says: String)] = [
        ("limits: {memory: 1GiB, memory_high: 2GiB}", "limits.memory_high", "at most memory, 1GiB"),
        ("limits: {temporary: 4GiB}", "limits.temporary", "at most memory"),
        ("limits: {shared_memory: 4GiB}", "limits.shared_memory", "at most memory"),
        ("limits: {file_size: 6GiB}", "limits.file_size", "at most disk, 5GiB"),
        ("limits: {inodes: 5000, disk: none}", "limits.inodes", "with a disk limit"),
        ("limits: {disk: none}\nrequire: [disk]", "require", "has no limit"),
        ("limits: {unwritten: 2MiB, disk: none}", "limits.unwritten", "with a disk limit"),
        ("require: [processors]", "require", "write limits.processors"),
        ("require: [unwritten]", "require", "write limits.unwritten"),
        ("freeze_after: 20m", "freeze_after", "not before idle_timeout"),
        ("idle_timeout: 10m\nfreeze_after: 11m", "freeze_after", "not before idle_timeout"),
        ("idle_timeout: 1m\nreap_warning: 2m", "reap_warning", "over idle_timeout"),
        ("seccomp: {allow: [sysinfo], refuse: [sysinfo]}", "seccomp.allow", "allowed and refused"),
        (
            "mounts: [{source: /a, target: /d}, {source: /b, target: /d}]", "mounts[1].target", "twice"
        ),
        ("network: host", "network", "confirm with 'trusted: true'"),
        ("network: host\ntrusted: false", "network", "confirm with"),
        ("network: host\ntrusted: true\nrequire: [landlock]", "require", "beside 'network: host'"),
        (
            "network: host\ntrusted: true\nbounds: {permission_modes: [bypassPermissions]}",
            "bounds.permission_modes", "could ask for bypassPermissions"
        ),
        ("allowed_tools: [Bash]\ndenied_tools: [Bash]", "allowed_tools", "allowed and denied"),
        ("bounds: {idle_timeout: 10m}", "bounds.idle_timeout", "less than the policy's own"),
        ("idle_timeout: never\nbounds: {idle_timeout: 1h}", "bounds.idle_timeout", "never"),
        ("bounds: {max_lifetime: 1h}", "bounds.max_lifetime", "never"),
    ]

    @Test("what cannot hold together is a fault at one of its keys", arguments: contradictions.indices)
    func contradiction(index: Int) throws {
        let expected = Self.contradictions[index]
        let error = #expect(throws: FileFault.self) { try file.parse(expected.text, name: "team") }
        let found = try #require(error)
        #expect(found.key == expected.key)
        #expect(found.line != nil)
        #expect("\(found)".contains(expected.says), "\(found)")
    }

    @Test func allFaultsAreToldAtOnce() {
        let text = "pids: 5\nlimits:\n  memory: much\n  pids: 1\ngrace: long\n"
        let reading = file.read(text, name: "team") { _ throws(PolicyFamily.Refusal) in
            throw PolicyFamily.Refusal(problem: "", remedy: "")
        }
        #expect(reading.faults.map(\.line) == [1, 3, 4, 5])
        #expect(reading.faults.map(\.key) == ["pids", "limits.memory", "limits.pids", "grace"])
    }

    @Test func anUnwrittenWarningGivesWayToAShortTimeout() throws {
        #expect(try file.parse("idle_timeout: 30s", name: "team").idle.warning == .seconds(30))
    }

    @Test("a depth or a length that no policy has is refused, not followed", arguments: ["[", "{a: ", "- ", "? "])
    func deep(piece: String) {
        let text = String(repeating: piece, count: PolicyStore.largestFile / piece.utf8.count)
        #expect(throws: FileFault.self) { try file.parse(text, name: "team") }
    }
}
