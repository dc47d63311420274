import Policy
import Testing

@testable import Sandbox

@Suite struct SeccompProfileTests {
    @Test("compiles to two programs of whole instructions", arguments: SeccompRules.Profile.allCases)
    func compiles(profile: SeccompRules.Profile) throws {
        let programs = try SeccompProfile(SeccompRules(profile: profile)).compile()
        #expect(programs.count == 2)
        for program in programs {
            #expect(program.count % 8 == 0)
            // BPF_MAXINSNS
            #expect(program.count / 8 <= 4096)
        }
    }

    @Test func noCallStandsInTwoLists() {
        let lists = [SystemCalls.allowed, SystemCalls.never, SystemCalls.unneeded, SystemCalls.hidden]
        let all = lists.flatMap { $0 }
        #expect(Set(all).count == all.count)
        #expect(Set(SystemCalls.notInStrict).isSubset(of: SystemCalls.allowed))
        #expect(SeccompProfile.needed.isSubset(of: Set(SystemCalls.allowed).subtracting(SystemCalls.notInStrict)))
    }

    @Test func aPolicyAddsAndTakesOutNames() throws {
        let profile = try SeccompProfile(SeccompRules(profile: .strict, allow: ["mbind", "shmget"], refuse: ["link"]))
        #expect(profile.allowed.contains("mbind"))
        #expect(profile.allowed.contains("shmget"))
        #expect(!profile.allowed.contains("shmat"))
        #expect(!profile.allowed.contains("link"))
        #expect(profile.refusedByPolicy == ["link"])
        #expect(!profile.refused.contains("mbind"))
    }

    static let faults: [(SeccompRules, String)] = [
        (SeccompRules(allow: ["mont"]), "'mont' is not a system call"),
        (SeccompRules(refuse: ["opne"]), "'opne' is not a system call"),
        (SeccompRules(allow: ["mount"]), "no session may call mount"),
        (SeccompRules(allow: ["io_uring_setup"]), "no session may call io_uring_setup"),
        (SeccompRules(allow: ["clone3"]), "no session may call clone3"),
        (SeccompRules(allow: ["link"], refuse: ["link"]), "link is both allowed and refused"),
        (SeccompRules(refuse: ["execve"]), "without execve no program starts"),
    ]

    @Test("faults are named", arguments: faults.indices)
    func fault(index: Int) {
        let (rules, message) = Self.faults[index]
        do throws(SandboxError) {
            _ = try SeccompProfile(rules)
            Issue.record("no fault")
        } catch {
            #expect(error.message == message)
            #expect(!error.remedy.isEmpty)
        }
    }

    @Test func namesWhatIsCounted() {
        let counted = Set(SeccompProfile.counted(SeccompRules(refuse: ["link", "prctl"])).values)
        #expect(counted.isSuperset(of: ["mount", "ioctl", "prlimit64", "socketpair", "link", "prctl"]))
        #expect(!counted.contains("mbind") && !counted.contains("openat"))
    }

    @Test("a call that a policy refuses needs no rule for its arguments", arguments: ArgumentRules.counted)
    func refusedAltogether(name: String) throws {
        #expect(try SeccompProfile(SeccompRules(refuse: [name])).compile().count == 2)
    }
}

@Suite struct CapabilityTests {
    @Test func everyCapabilityThatAPolicyMayNameHasANumber() {
        #expect(Set(Capabilities.numbers.keys) == CapabilityRules.allowed)
    }

    @Test func namesBecomeBits() throws {
        #expect(try Capabilities([]).mask == 0)
        #expect(try Capabilities(["net_bind_service", "chown"]).mask == 1 << 10 | 1)
    }

    @Test("others are refused by name", arguments: ["sys_admin", "net_admin", "sys_ptrace", "NET_BIND_SERVICE", "x"])
    func refused(name: String) {
        #expect(throws: SandboxError.self) { try Capabilities(["chown", name]) }
    }
}

@Suite struct DeviceTests {
    @Test(
        "no device of this host", arguments: ["/dev/no-such-device", "/dev/a/b/c", "/etc/passwd", "/dev/pts", "null"])
    func refused(path: String) {
        #expect(throws: SandboxError.self) { try Devices.checked([path]) }
    }

    @Test func whatIsThereAnywayIsNotShownTwice() throws {
        #expect(try Devices.checked(["/dev/null", "/dev/tty"]).isEmpty)
    }
}
