import Policy
import Testing

@testable import Sandbox

@Suite struct LaunchPlanTests {
    static let encodings: [(LaunchPlan.Step, [String])] = [
        (.time, ["time"]),
        (.privileges(keeping: .none), ["privileges", "0"]),
        (.landlock(.write, "/tmp"), ["landlock", "write", "/tmp"]),
        (.loopback, ["loopback"]),
        (.identity(root: true), ["identity", "root"]),
        (.identity(root: false), ["identity", "single"]),
        (.makePrivate, ["private"]),
        (
            .pin(path: "/a", device: 1, inode: .max, attributes: [.readOnly, .noDevices], recursive: true),
            ["pin", "/a", "1", "18446744073709551615", "5", "1"]
        ),
        (.clone("/a"), ["clone", "/a"]),
        (.root(over: "/tmp", bytes: 1024, inodes: 10), ["root", "/tmp", "1024", "10"]),
        (.prepared(slot: 0, over: "/tmp"), ["prepared", "/tmp", "0"]),
        (.mask("/proc/kcore", directory: false), ["mask", "/proc/kcore", "file"]),
        (.mask("/proc/fs", directory: true), ["mask", "/proc/fs", "directory"]),
        (.directory("/a b", mode: 0o1777, owner: .agent), ["directory", "1777", "1000", "/a b"]),
        (.link("/a", target: ""), ["symlink", "", "/a"]),
        (.file("/a", mode: 0o644, text: "x\n"), ["file", "644", "/a", "x\n"]),
        (.mount(slot: 3, path: "/a", place: .there), ["mount", "3", "/a", "there"]),
        (.tmpfs("/t", bytes: 1, inodes: 2, mode: 0o700, owner: .root), ["tmpfs", "/t", "1", "2", "700", "0"]),
        (.device("null"), ["device", "null"]),
        (.overlay("/u", lower: "/l", upper: "/c/u", work: "/c/w"), ["overlay", "/u", "/l", "/c/u", "/c/w"]),
        (.detach("/a"), ["detach", "/a"]),
        (.terminal(columns: 80, rows: 24, most: 32), ["terminal", "80", "24", "32"]),
        (.limit(.openFiles, soft: 1, hard: 2), ["limit", "7", "1", "2"]),
        (.network(address: "127.0.0.1", port: 3128), ["network", "127.0.0.1", "3128"]),
        (.environment("A=b=c"), ["environment", "A=b=c"]),
    ]

    @Test(arguments: encodings) func encodes(step: LaunchPlan.Step, fields: [String]) throws {
        let bytes = try LaunchPlan(steps: [step]).encoded()
        #expect(bytes == ([LaunchPlan.header] + fields).flatMap { Array($0.utf8) + [0] })
    }

    @Test func refusesANulByte() {
        #expect(throws: SandboxError.self) { try LaunchPlan(steps: [.argument("a\0b")]).encoded() }
    }

    @Test func refusesAPlanThatIsTooLong() {
        let text = String(repeating: "x", count: LaunchPlan.mostBytes)
        #expect(throws: SandboxError.self) { try LaunchPlan(steps: [.argument(text)]).encoded() }
    }

    @Test func explainsWithoutTellingSecrets() {
        let plan = LaunchPlan(steps: [.environment("KEY=secret"), .clone("/a"), .pivot])
        #expect(plan.explanation == "environment KEY\npin /a as seen inside\nleave the host's files behind\n")
    }
}

@Suite struct PlanOrderTests {
    private func steps(rootless: Bool) -> [LaunchPlan.Step] {
        var specification = SandboxSpecification(
            identity: rootless ? .caller : .range(base: 0x1000_0000), initProgram: "/i", workspace: "/s/w",
            home: "/s/h",
            startCommand: "/s/start", claudeBinary: "/s/claude", rules: .standard)
        specification.environment = ["B": "2", "A": "1"]
        let image = HostImage(
            entries: [.directory("/usr"), .link("/bin", target: "usr/bin"), .file("/etc/ld.so.cache")],
            localPrograms: [
                .file("/usr/local/bin/tool"), .link("/usr/local/bin/other", target: "tool"),
                .file("/usr/local/bin/claude"),
            ])
        let sources = PlanComposer.sources(of: specification, image: .host(image))
        var composer = PlanComposer(
            specification: specification, image: .host(image), sources: sources,
            identities: rootless ? sources.map { _ in MountSourceIdentity(device: 1, inode: 2) } : nil)
        return composer.compose().steps
    }

    private func index(_ step: LaunchPlan.Step, in steps: [LaunchPlan.Step]) throws -> Int {
        try #require(steps.firstIndex(of: step))
    }

    @Test(arguments: [false, true]) func ordersWhatDependsOnOrder(rootless: Bool) throws {
        let steps = steps(rootless: rootless)
        let order: [LaunchPlan.Step] = [
            .time, .identity(root: !rootless), .makePrivate, .root(over: "/tmp", bytes: 4 << 20, inodes: 4096),
            .mount(slot: 0, path: "/usr", place: .directory),
            .clone("/usr/local/bin/tool"),
            .mount(slot: 6, path: "/usr/local/bin/tool", place: .file),
            .mount(slot: 5, path: "/usr/local/bin/claude", place: .file), .readOnly("/usr/local/bin"),
            .device("null"), .proc, .mask("/proc/kcore", directory: false),
            .readOnly("/"), .mount(slot: 7, path: "/proc/sys/kernel/random/boot_id", place: .there), .pivot,
            .privileges(keeping: .none), .argument("/run/rookery/start"), .environment("A=1"), .environment("B=2"),
        ]
        let places = try order.map { try index($0, in: steps) }
        #expect(places == places.sorted())
        // The host's own claude is not shown beside ours.
        #expect(!steps.contains(.clone("/usr/local/bin/claude")))
    }

    @Test func onlyARootlessPlanPins() {
        let pins = { (steps: [LaunchPlan.Step]) in
            steps.count { if case .pin = $0 { true } else { false } }
        }
        #expect(pins(steps(rootless: false)) == 0)
        #expect(pins(steps(rootless: true)) == 6)
    }
}
