import Testing

@testable import Policy

@Suite struct InheritanceTests {
    /// The policy of a name, and what is wrong with it and its parents.
    func read(_ name: String, of texts: [String: String]) -> (policy: SessionPolicy?, faults: [FileFault]) {
        var family = family(texts)
        let reading = family.read(name)
        return (reading?.policy, family.faults)
    }

    func family(_ texts: [String: String]) -> PolicyFamily {
        PolicyFamily(
            Dictionary(uniqueKeysWithValues: texts.map { ($0, PolicyFamily.Source(path: "\($0).yaml", text: $1)) }))
    }

    @Test func mapsMergeByKeyAndListsAndValuesReplace() throws {
        var family = family([
            "base": """
            description: Base.
            limits: {memory: 1GiB, pids: 100}
            environment: {A: base, B: base}
            require: [memory]
            bounds: {environment: false, models: [opus]}
            seccomp: {profile: strict, refuse: [socketpair]}
            grace: 3s
            """,
            "child": """
            extends: base
            limits: {pids: 200}
            environment: {B: child}
            require: [pids]
            bounds: {models: any}
            seccomp: {refuse: []}
            """,
        ])
        let reading = family.read("child")
        let child = try #require(reading).policy
        #expect(family.faults.isEmpty)
        #expect(child.name == "child")
        #expect(child.description.isEmpty)
        #expect(child.sandbox.limits.memory == .gibibytes(1))
        #expect(child.sandbox.limits.pids == 200)
        #expect(child.environment == ["A": "base", "B": "child"])
        #expect(child.sandbox.required == ["pids"])
        #expect(!child.bounds.environment)
        #expect(child.bounds.models == nil)
        #expect(child.sandbox.seccomp == SeccompRules(profile: .strict))
        #expect(child.idle.grace == .seconds(3))
    }

    @Test func extendsCountsWhereverItIsWritten() throws {
        let (policy, _) = read("child", of: ["base": "grace: 1s", "child": "grace: 2s\nextends: base"])
        #expect(policy?.idle.grace == .seconds(2))
    }

    @Test func theBuiltInDefaultCanBeExtendedWithoutAFile() throws {
        var expected = SessionPolicy.builtIn
        expected.name = "child"
        expected.description = ""
        #expect(read("child", of: ["child": "extends: default"]).policy == expected)
    }

    @Test func chainsAreFollowedAndEachFileIsReadOnce() throws {
        var family = family(["a": "extends: b", "b": "extends: c\ngrace: bad", "c": "pid: 1"])
        _ = family.read("a")
        _ = family.read("b")
        #expect(family.faults.map(\.file) == ["c.yaml", "b.yaml", "b.yaml", "a.yaml"])
        #expect(family.faults.map(\.key) == ["pid", "extends", "grace", "extends"])
    }

    @Test("a cycle is refused", arguments: [["a": "extends: a"], ["a": "extends: b", "b": "extends: a"]])
    func cycle(texts: [String: String]) {
        var family = family(texts)
        for name in texts.keys { _ = family.read(name) }
        #expect(family.faults.contains { $0.problem.contains("extends itself") })
        #expect(Set(family.faults.map(\.file)) == Set(texts.keys.map { "\($0).yaml" }))
    }

    @Test func aLongChainIsRefused() {
        var texts = ["p0": ""]
        for index in 1...20 { texts["p\(index)"] = "extends: p\(index - 1)" }
        var long = family(texts)
        _ = long.read("p20")
        #expect(long.faults.contains { $0.problem.contains("chain") })
        var short = family(texts)
        _ = short.read("p7")
        #expect(short.faults.isEmpty)
    }

    @Test func anUnknownParentIsAFaultWithAHint() {
        var family = family(["a": "extends: defualt"])
        _ = family.read("a")
        #expect(family.faults.first?.description.contains("did you mean 'default'?") == true)
    }

    @Test func aContradictionWithTheParentIsAtTheChildsLine() {
        var family = family([
            "base": "limits:\n  memory: 2GiB\n  memory_high: 1900MiB\n",
            "child": "extends: base\nlimits:\n  memory: 1GiB\n",
        ])
        _ = family.read("child")
        #expect(family.faults.map(\.file) == ["child.yaml"])
        #expect(family.faults.first?.line == 3)
        #expect(family.faults.first?.key == "limits.memory")
    }

    @Test func theConfirmationOfTheHostsNetworkIsInherited() {
        let texts = ["base": "network: host\ntrusted: true", "child": "extends: base\ngrace: 1s"]
        let (policy, faults) = read("child", of: texts)
        #expect(policy?.sandbox.network == .host)
        #expect(faults.isEmpty)
    }
}
