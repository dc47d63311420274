import Glibc
import Policy
import Sandbox
import SessionCore
import Testing
import WorkerControl

@testable import Launcher

@Suite struct CheckedLaunchTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var step: String
        var change: @Sendable (inout LaunchRequest) -> Void
    }

    static let faults = [
        Fault(testDescription: "slot below", step: "check uid_slot") { $0.uidSlot = -1 },
        Fault(testDescription: "slot above", step: "check uid_slot") { $0.uidSlot = 0x6000 },
        Fault(testDescription: "incarnation", step: "check incarnation") { $0.incarnation = -1 },
        Fault(testDescription: "sequence", step: "check first_sequence") { $0.firstSequence = .max },
        Fault(testDescription: "log too large", step: "check log_bytes") { $0.logBytes = .max },
        Fault(testDescription: "log negative", step: "check log_bytes") { $0.logBytes = -1 },
        Fault(testDescription: "memory", step: "check limits.memory") { $0.rules.limits.memory = ByteSize(bytes: 0) },
        Fault(testDescription: "pids", step: "check limits.pids") { $0.rules.limits.pids = 1 << 30 },
        Fault(testDescription: "disk", step: "check limits.disk") { $0.rules.limits.disk = ByteSize(bytes: 1) },
        Fault(testDescription: "io weight", step: "check limits.io_weight") { $0.rules.limits.ioWeight = 0 },
        Fault(testDescription: "image", step: "check image") { $0.rules.image = "../../etc" },
        Fault(testDescription: "kernel's mount", step: "check mounts[0].source") {
            $0.rules.mounts = [PolicyMount(source: "/proc/1/root", target: "/data")]
        },
        Fault(testDescription: "mount over the start command", step: "check mounts[0].target") {
            $0.rules.mounts = [PolicyMount(source: "/srv", target: "/run/rookery/start")]
        },
        Fault(testDescription: "climbing mount", step: "check mounts[0].source") {
            $0.rules.mounts = [PolicyMount(source: "/srv/../proc", target: "/data")]
        },
        Fault(testDescription: "target twice", step: "check mounts[1].target") {
            $0.rules.mounts = [
                PolicyMount(source: "/srv", target: "/data"), PolicyMount(source: "/opt", target: "/data"),
            ]
        },
        Fault(testDescription: "call that leads out", step: "check seccomp.allow") {
            $0.rules.seccomp.allow = ["bpf"]
        },
        Fault(testDescription: "call that all need", step: "check seccomp.refuse") {
            $0.rules.seccomp.refuse = ["read"]
        },
        Fault(testDescription: "capability", step: "check capabilities") { $0.rules.capabilities = ["sys_admin"] },
        Fault(testDescription: "device", step: "check devices") { $0.rules.devices = ["/dev/mem"] },
        Fault(testDescription: "device elsewhere", step: "check devices") { $0.rules.devices = ["/etc/passwd"] },
        Fault(testDescription: "requirement", step: "check require") { $0.rules.required = ["luck"] },
        Fault(testDescription: "columns", step: "check size") { $0.size.cols = 70_000 },
        Fault(testDescription: "rows", step: "check size") { $0.size.rows = 0 },
        Fault(testDescription: "variable's name", step: "check environment") { $0.environment = ["A=B": "c"] },
        Fault(testDescription: "variable's value", step: "check environment") { $0.environment = ["A": "b\0c"] },
        Fault(testDescription: "value too long", step: "check environment") {
            $0.environment = ["A": String(repeating: "x", count: 40_000)]
        },
        Fault(testDescription: "too many variables", step: "check environment") { request in
            for index in 0...256 { request.environment["A\(index)"] = "" }
        },
        Fault(testDescription: "relative gateway", step: "check gateway_socket") { $0.gatewaySocket = "gw.sock" },
        Fault(testDescription: "relative egress", step: "check egress_socket") { $0.egressSocket = "egress.sock" },
        Fault(testDescription: "climbing gateway", step: "check gateway_socket") { $0.gatewaySocket = "/run/../x" },
        Fault(testDescription: "long gateway", step: "check gateway_socket") {
            $0.gatewaySocket = "/" + String(repeating: "x", count: 107)
        },
        Fault(testDescription: "relative command", step: "check start_command") { $0.startCommand = "sh" },
        Fault(testDescription: "climbing command", step: "check start_command") { $0.startCommand = "/bin/../bin/sh" },
        Fault(testDescription: "missing command", step: "check start_command") { $0.startCommand = "/nonexistent" },
        Fault(testDescription: "directory as command", step: "check start_command") { $0.startCommand = "/bin" },
        Fault(testDescription: "device as command", step: "check start_command") { $0.startCommand = "/dev/null" },
        Fault(testDescription: "plain file as command", step: "check start_command") {
            $0.startCommand = "/etc/passwd"
        },
        Fault(testDescription: "magic link as command", step: "check start_command") {
            $0.startCommand = "/proc/self/exe"
        },
        Fault(testDescription: "line break in a path", step: "check start_command") { $0.startCommand = "/bin/s\nh" },
        Fault(testDescription: "claude that is none", step: "check claude_binary") { $0.claudeBinary = "/etc/passwd" },
    ]

    @Test("a field out of bounds is named", arguments: faults)
    func fault(fault: Fault) throws {
        var request = LaunchRequest.plain(slot: 3, start: "/bin/sh")
        fault.change(&request)
        let error = #expect(throws: LaunchFailure.self) { try CheckedLaunch(request, rootless: false) }
        #expect(error?.step == fault.step)
        #expect(error?.remedy.isEmpty == false)
    }

    @Test func aPlainRequestPasses() throws {
        let checked = try CheckedLaunch(.plain(slot: 3, start: "/bin/sh"), rootless: false)
        #expect(checked.range?.base == 0x1003_0000)
        let rootless = try CheckedLaunch(.plain(slot: -5, start: "/bin/sh"), rootless: true)
        #expect(rootless.range == nil)
    }

    @Test func aProgramThatOnlyItsOwnerMayExecuteIsRefusedInRootMode() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let program = try scratch.script("own", "#!/bin/sh\n", mode: 0o700)
        #expect(throws: LaunchFailure.self) { try CheckedLaunch(.plain(slot: 1, start: program), rootless: false) }
        #expect(throws: Never.self) { try CheckedLaunch(.plain(slot: 1, start: program), rootless: true) }
    }
}
