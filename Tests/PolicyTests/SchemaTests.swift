import Foundation
import Testing

@testable import Policy

@Suite struct SchemaTests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let policies = root.appendingPathComponent("Policies").path

    func schema() throws -> [String: Any] {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(Self.policies)/schema.json"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test func schemaAndParserKnowTheSameKeys() throws {
        let top = try #require(try schema()["properties"] as? [String: [String: Any]])
        #expect(Set(top.keys) == Set(PolicyKey.allCases.map(\.rawValue)))
        for key in PolicyKey.allCases {
            let node = try #require(top[key.rawValue])
            let object = (node["items"] as? [String: Any]) ?? node
            let members = (object["properties"] as? [String: Any])?.keys.map { $0 } ?? []
            #expect(Set(members) == Set(PolicyKey.nested[key] ?? []), "\(key.rawValue)")
            if !members.isEmpty { #expect(object["additionalProperties"] as? Bool == false, "\(key.rawValue)") }
        }
    }

    @Test func schemaAndParserKnowTheSameWords() throws {
        let top = try #require(try schema()["properties"] as? [String: [String: Any]])
        func words(_ key: String) -> Set<String> {
            let node = top[key] ?? [:]
            return Set(((node["items"] as? [String: Any]) ?? node)["enum"] as? [String] ?? [])
        }
        #expect(words("require") == RequirementRules.known)
        #expect(words("capabilities") == CapabilityRules.allowed)
        #expect(words("system") == Set(SystemAccess.allCases.map(\.rawValue)))
        #expect(words("network") == Set(NetworkAccess.allCases.map(\.rawValue)))
        let egress = try #require(top["egress"]?["properties"] as? [String: [String: Any]])
        #expect(Set(egress["mode"]?["enum"] as? [String] ?? []) == Set(EgressPolicy.Mode.allCases.map(\.rawValue)))
        #expect(words("wakes") == Set(WakeReason.allCases.map(\.rawValue)))
        let modes = (try schema()["$defs"] as? [String: [String: Any]])?["permissionMode"]?["enum"] as? [String]
        #expect(Set(modes ?? []) == Set(PermissionMode.allCases.map(\.rawValue)))
    }

    /// What another implementation of JSON Schema says; nil when all are valid.
    func validate(_ files: [String]) throws -> String? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = [
            Self.root.appendingPathComponent("Tests/PolicyTests/validate.py").path, "\(Self.policies)/schema.json",
        ]
        process.arguments? += files
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require([0, 1].contains(process.terminationStatus) && process.terminationReason == .exit)
        return process.terminationStatus == 0 ? nil : String(decoding: data, as: UTF8.self)
    }

    @Test func shippedAndGoodPoliciesAreValidAndSoAreTheirWrittenForms() throws {
        let directory = NSTemporaryDirectory() + "rks-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var files = try FileManager.default.contentsOfDirectory(atPath: Self.policies).filter { $0.hasSuffix(".yaml") }
            .map { "\(Self.policies)/\($0)" }
        #expect(files.count >= 4)
        for (index, text) in GoodPolicies.all.enumerated() {
            let policy = try PolicyFile(path: "team.yaml").parse(text, name: "team")
            for (kind, text) in [("good", text), ("written", PolicyTree(policy).yaml)] {
                let path = "\(directory)/\(kind)-\(index).yaml"
                try Data(text.utf8).write(to: URL(fileURLWithPath: path))
                files.append(path)
            }
        }
        let invalid = try validate(files)
        #expect(invalid == nil, "\(invalid ?? "")")
    }

    @Test(
        "the schema finds what an editor should mark",
        arguments: [
            "idle_timeot: 20m", "limits: {memroy: 1GiB}", "limits: {pids: 1}", "system: writable", "wakes: [knock]",
            "egress: {mode: all}", "egress: {allow: ['*']}", "egress: {allow: ['http://pypi.org']}",
            "egress: {connections: 0}", "require: [namespaces]", "mounts: [{source: /a}]", "limits: {memory: 2GB}",
            "version: 2",
        ])
    func finds(text: String) throws {
        let path = NSTemporaryDirectory() + "rks-\(UUID().uuidString.prefix(8)).yaml"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try validate([path]) != nil)
        #expect(throws: FileFault.self) { try PolicyFile(path: path).parse(text, name: "team") }
    }
}
