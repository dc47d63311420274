import Policy
import Testing

@testable import Sandbox

/// What is mounted of an image, and in which order.
@Suite struct ImagePlanTests {
    static let layout = ImageLayout(entries: [.link("/bin", target: "usr/bin"), .directory("/etc"), .directory("/usr")])
    static let host = HostImage(
        entries: [.directory("/usr"), .link("/bin", target: "usr/bin"), .directory("/etc/ssl/certs")],
        localPrograms: [.file("/usr/local/bin/tool")])

    static let prepared = PreparedTree.Layout(
        host: host, look: 1, targets: [], devices: Devices.standard, coversLocalPrograms: true)

    static func specification(overlay: Bool) -> SandboxSpecification {
        var specification = SandboxSpecification(
            identity: .range(base: 0x1000_0000), initProgram: "/i", workspace: "/s/w", home: "/s/h",
            startCommand: "/s/start", claudeBinary: "/s/claude", rules: .standard)
        specification.overlay = overlay ? "/s/overlay" : nil
        return specification
    }

    static func plan(_ image: SystemImage, overlay: Bool) -> (sources: [MountSource], steps: [LaunchPlan.Step]) {
        let specification = specification(overlay: overlay)
        let sources = PlanComposer.sources(of: specification, image: image)
        var composer = PlanComposer(
            specification: specification, image: image, sources: sources, identities: nil)
        return (sources, composer.compose().steps)
    }

    /// That the steps are in the plan in this order.
    func expect(_ order: [LaunchPlan.Step], in steps: [LaunchPlan.Step]) throws {
        let places = try order.map { step in
            let place = steps.firstIndex(of: step)
            return try #require(place, "\(step.fields.joined(separator: " "))")
        }
        #expect(places == places.sorted())
    }

    /// A mount that copies the one at `path`.
    func copy(of path: String, in steps: [LaunchPlan.Step]) throws -> LaunchPlan.Step {
        steps[try #require(steps.firstIndex(of: .clone(path))) + 1]
    }

    @Test func aBuiltImageIsOneMountOfWhichTheDirectoriesAreShown() throws {
        let (sources, steps) = Self.plan(.built(Self.layout), overlay: false)
        // Nothing of the host but what is the session's and the two programs.
        #expect(sources.map(\.path) == ["/s/w", "/s/h", "/s/start", "/s/claude"])
        try expect(
            [
                .mount(slot: 0, path: "/run/rookery/image", place: .directory), .link("/bin", target: "usr/bin"),
                .clone("/run/rookery/image/etc"), .clone("/run/rookery/image/usr"),
                .file("/run/rookery/etc/hostname", mode: 0o644, text: "rookery\n"),
                .clone("/run/rookery/etc/hostname"), .readOnly("/etc/hostname"),
                .clone("/run/rookery/etc/claude-code"), .readOnly("/etc/claude-code"),
                .mount(slot: 1, path: "/workspace", place: .directory),
                .mount(slot: 4, path: "/usr/local/bin/claude", place: .file),
                .detach("/run/rookery/image"), .pivot,
            ], in: steps)
        for (path, place) in [("/run/rookery/image/usr", "/usr"), ("/run/rookery/etc/passwd", "/etc/passwd")] {
            guard case .mount(_, let found, _) = try copy(of: path, in: steps) else {
                Issue.record("\(path) is not mounted")
                continue
            }
            #expect(found == place)
        }
        // What the image has must not be made.
        #expect(!steps.contains(.directory("/usr", mode: 0o755, owner: .root)))
        #expect(!steps.contains { if case .file("/etc/passwd", _, _) = $0 { true } else { false } })
    }

    @Test func everySlotIsUsedOnceAndInItsOrder() {
        for image in [SystemImage.built(Self.layout), .host(Self.host), .prepared(Self.prepared)] {
            for overlay in [false, true] {
                if case .prepared = image, overlay { continue }
                let (sources, steps) = Self.plan(image, overlay: overlay)
                var available = PlanComposer.imageSlots(of: image) + sources.count
                var used: Set<Int> = []
                for step in steps {
                    if case .clone = step { available += 1 }
                    if case .prepared(let slot, _) = step { used.insert(slot) }
                    guard case .mount(let slot, let path, _) = step else { continue }
                    #expect(slot < available && used.insert(slot).inserted, "\(path)")
                }
                #expect(used.count == available)
            }
        }
    }

    @Test func aPreparedTreeIsTheRootAndTakesOnlyWhatIsTheSessionsOwn() throws {
        let (sources, steps) = Self.plan(.prepared(Self.prepared), overlay: false)
        #expect(sources.map(\.path) == ["/s/w", "/s/h", "/s/start", "/s/claude"])
        try expect(
            [
                .makePrivate, .prepared(slot: 0, over: "/tmp"),
                .tmpfs("/run", bytes: 4 << 20, inodes: 4096, mode: 0o755, owner: .root),
                .file("/run/rookery/etc/hostname", mode: 0o644, text: "rookery\n"),
                .mount(slot: 1, path: "/workspace", place: .directory),
                .mount(slot: 4, path: "/usr/local/bin/claude", place: .file), .device("null"), .proc,
                .readOnly("/run"), .pivot,
            ], in: steps)
        // Its filesystem cannot be written: what would be made in it must be there.
        let made = steps.compactMap { step -> String? in
            switch step {
            case .link(let path, _), .file(let path, _, _), .directory(let path, _, _): path
            default: nil
            }
        }
        #expect(made.allSatisfy { $0.hasPrefix("/run/") }, "\(made)")
    }

    @Test func anOverlayOfABuiltImageTakesTheChangesOfEachDirectory() throws {
        let (sources, steps) = Self.plan(.built(Self.layout), overlay: true)
        #expect(sources.first?.path == "/s/overlay" && sources.first?.attributes == [.noSetuid, .noDevices])
        let usr = LaunchPlan.Step.overlay(
            "/usr", lower: "/run/rookery/image/usr", upper: "/run/rookery/overlay/usr/upper",
            work: "/run/rookery/overlay/usr/work")
        try expect(
            [
                .mount(slot: 1, path: "/run/rookery/overlay", place: .directory),
                .mount(slot: 0, path: "/run/rookery/image", place: .directory),
                .directory("/run/rookery/overlay/usr/upper", mode: 0o755, owner: .agent), usr,
                .readOnly("/etc/passwd"), .mount(slot: 5, path: "/usr/local/bin/claude", place: .file),
                .detach("/run/rookery/image"), .detach("/run/rookery/overlay"), .pivot,
            ], in: steps)
    }

    @Test func anOverlayOfTheHostCoversItsSystemDirectoriesAlone() throws {
        let (sources, steps) = Self.plan(.host(Self.host), overlay: true)
        let usr = try #require(sources.first { $0.place == "/usr" })
        // Root's files are the command's own there, and nothing of the host can be written.
        #expect(usr.owner == HostOwner(uid: 0, gid: 0) && usr.attributes == [.readOnly, .noSetuid, .noDevices])
        #expect(sources.first { $0.place == "/etc/ssl/certs" }?.owner == nil)
        let overlays = steps.compactMap { step in
            if case .overlay(let path, let lower, _, _) = step { [path, lower] } else { nil }
        }
        #expect(overlays == [["/usr", "/usr"]])
        try expect(
            [
                .clone("/run/rookery/overlay/opt/upper"), .mount(slot: 6, path: "/usr/local/bin/claude", place: .file),
                .detach("/run/rookery/overlay"), .pivot,
            ], in: steps)
        #expect(!steps.contains(.readOnly("/usr/local/bin")))
    }

    @Test func everyGeneratedFileHasAPlaceInABuiltImage() {
        var specification = Self.specification(overlay: false)
        specification.managedSettings = "{}"
        let generated = GeneratedFiles(specification: specification, home: "/home/agent").files.map(\.path)
        let etc = generated.filter { $0.hasPrefix("/etc/") && !$0.hasPrefix(SandboxLayout.settingsDirectory) }
        #expect(etc == SandboxLayout.generatedFiles)
    }

    @Test(arguments: [
        ("usr", true), ("lib64", true), ("opt", true), ("nix", true), ("a.b-c_d", true), ("proc", false),
        ("run", false),
        ("home", false), ("root", false), (".git", false), ("a,b", false), ("a:b", false), ("ä", false),
    ])
    func whatOfAnImagesTopIsShown(name: String, shown: Bool) { #expect(ImageLayout.shows(name) == shown) }

    static let refusals: [(String, SandboxRules, String)] = [
        ("an image that was not opened", SandboxRules(image: "tools"), "image"),
        ("an overlay without a place", SandboxRules(system: .overlay), "overlay"),
    ]

    @Test(arguments: refusals) func failsClosed(what: String, rules: SandboxRules, step: String) {
        var specification = Self.specification(overlay: false)
        specification.rules = rules
        let error = #expect(throws: SandboxError.self) { try specification.checked() }
        #expect(error?.step == step)
    }

    @Test func aPlaceForChangesThatTheRulesDoNotAllowIsRefused() {
        let error = #expect(throws: SandboxError.self) { try Self.specification(overlay: true).checked() }
        #expect(error?.step == "overlay")
    }
}
