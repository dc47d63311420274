import Foundation
import Policy
import Testing

@Suite struct PolicyStoreTests {
    func withDirectory(_ files: [String: String], _ body: (String) throws -> Void) throws {
        let directory = NSTemporaryDirectory() + "rkp-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for (name, text) in files { try Data(text.utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name)")) }
        try body(directory)
    }

    @Test func anAbsentDirectoryGivesTheBuiltInDefault() throws {
        let store = try PolicyStore(directory: "/nonexistent/policies")
        #expect(store.names == ["default"])
        #expect(store.standard == .builtIn)
        #expect(store.policy(named: nil) == .builtIn)
        #expect(store.policy(named: "other") == nil)
    }

    @Test func filesAreFoundByName() throws {
        try withDirectory(["small.yaml": "limits: {memory: 512MiB}", "empty.yaml": "", "notes.txt": "x: ["]) {
            let store = try PolicyStore(directory: $0)
            #expect(store.names == ["default", "empty", "small"])
            #expect(store.policy(named: "small")?.sandbox.limits.memory == .mebibytes(512))
            #expect(store.policy(named: "empty") == SessionPolicy(name: "empty"))
        }
    }

    @Test func aFileOfTheDirectoryReplacesTheBuiltInDefault() throws {
        try withDirectory(["default.yaml": "idle_timeout: 5m"]) {
            let store = try PolicyStore(directory: $0)
            #expect(store.standard.idle.timeout == .minutes(5))
        }
    }

    @Test(
        "what cannot be a policy is an error that names the file",
        arguments: [
            ("Bad Name.yaml", "", "name"), ("a.yml", "", "would not be read"), ("a.yaml", "x: 1", "unknown key"),
            ("a.yaml", String(repeating: "#", count: PolicyStore.largestFile + 1), "is over"),
        ])
    func bad(name: String, text: String, says: String) throws {
        try withDirectory([name: text]) { directory in
            let error = #expect(throws: FileFault.self) { try PolicyStore(directory: directory) }
            #expect(error?.file == "\(directory)/\(name)")
            #expect(error.map { "\($0)" }?.contains(says) == true)
        }
    }

    @Test func aFileInPlaceOfTheDirectoryIsAnError() throws {
        try withDirectory(["plain": "x"]) { directory in
            #expect(throws: FileFault.self) { try PolicyStore(directory: "\(directory)/plain") }
        }
    }

    @Test func aDirectoryInPlaceOfAFileIsAnError() throws {
        try withDirectory([:]) { directory in
            try FileManager.default.createDirectory(
                atPath: "\(directory)/a.yaml", withIntermediateDirectories: false)
            #expect(throws: FileFault.self) { try PolicyStore(directory: directory) }
        }
    }

    @Test func theShippedDefaultIsTheBuiltIn() throws {
        let store = try PolicyStore(directory: SchemaTests.policies)
        #expect(store.standard == .builtIn)
        #expect(store.names == ["default", "open", "registries", "strict", "trusted-local"])
        #expect(store.all.allSatisfy { !$0.description.isEmpty })
    }

    @Test func theShippedPoliciesAreWhatTheirNamesSay() throws {
        let store = try PolicyStore(directory: SchemaTests.policies)
        let strict = try #require(store.policy(named: "strict"))
        #expect(strict.sandbox.seccomp.profile == .strict)
        #expect(strict.sandbox.required.isSuperset(of: ["pids", "landlock"]))
        #expect(strict.bounds.permissionModes.isDisjoint(with: [.bypassPermissions, .acceptEdits, .auto]))
        #expect(store.all.filter { $0.sandbox.network == .host }.map(\.name) == ["trusted-local"])
        #expect(store.all.filter { $0.egress.mode == .none }.map(\.name) == ["default", "strict", "trusted-local"])
        #expect(store.all.filter { $0.egress.mode == .open }.map(\.name) == ["open"])
        #expect(store.all.allSatisfy { $0.claude.permissionMode != .bypassPermissions })
        #expect(store.all.allSatisfy { $0.sandbox.capabilities.isEmpty && $0.sandbox.seccomp.allow.isEmpty })
    }

    @Test func theParentsFaultIsTheOneThatIsTold() throws {
        try withDirectory(["a.yaml": "extends: z", "z.yaml": "x: 1"]) { directory in
            let error = #expect(throws: FileFault.self) { try PolicyStore(directory: directory) }
            #expect(error?.file == "\(directory)/z.yaml")
        }
    }

    @Test func theFaultsOfOneFileAreItsOwnAndItsParents() throws {
        try withDirectory(["a.yaml": "extends: b\ngrace: 1s", "b.yaml": "x: 1\ny: 2", "c.yaml": "z: 3"]) { directory in
            let faults = PolicyStore.faults(inFile: "\(directory)/a.yaml")
            #expect(faults.map(\.key) == ["x", "y", "extends"])
            #expect(faults.first?.file == "\(directory)/b.yaml")
            #expect(PolicyStore.faults(inFile: "\(directory)/absent.yaml").count == 1)
            #expect(PolicyStore.faults(inFile: "\(directory)/a.txt").first?.remedy.contains("NAME.yaml") == true)
        }
    }

    @Test func aFileIsShownAsItIsWritten() throws {
        try withDirectory(["a.yaml": "grace: 1s"]) { directory in
            #expect(PolicyStore.faults(inFile: "\(directory)/a.yaml").isEmpty)
            for (name, text) in [("a", "grace: 1s"), ("b", nil), ("../a", nil)] {
                let found = try PolicyStore.text(of: name, in: directory)
                #expect(found == text)
            }
        }
    }

    @Test func policiesSurviveJSON() throws {
        let policy = SessionPolicy(
            name: "a", environment: ["A": "b"], claude: ClaudeRules(model: "opus"),
            idle: IdleRules(maxLifetime: .hours(2)))
        let data = try JSONEncoder().encode(policy)
        let read = try JSONDecoder().decode(SessionPolicy.self, from: data)
        #expect(read == policy)
        #expect(String(decoding: data, as: UTF8.self).contains("\"timeout\":\"20m\""))
    }

    @Test(
        "names of policies",
        arguments: [
            ("default", true), ("a-b_c9", true), ("9", true), ("", false), ("-a", false), ("A", false), ("a/b", false),
            ("..", false), (String(repeating: "a", count: 65), false),
        ])
    func names(text: String, fine: Bool) { #expect(SessionPolicy.isName(text) == fine) }
}
