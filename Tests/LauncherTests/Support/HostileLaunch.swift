import Foundation
import Policy
import SessionCore
import WorkerControl

/// Numbers that come again for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// Launches as nobody should send them.
enum HostileLaunch {
    /// A launch that is fine, with something in every field.
    static var plain: LaunchRequest {
        var request = LaunchRequest.plain(slot: 3, start: "/bin/sh")
        request.rules.mounts = [PolicyMount(source: "/srv/data", target: "/data", writable: true)]
        request.rules.required = ["memory", "landlock"]
        request.rules.seccomp = SeccompRules(profile: .strict, allow: ["mincore"], refuse: ["chmod"])
        request.rules.capabilities = ["net_bind_service"]
        request.rules.devices = ["/dev/kvm"]
        request.rules.limits.disk = .gibibytes(1)
        request.rules.limits.memoryHigh = .mebibytes(200)
        request.managedSettings = "{}"
        return request
    }

    private static let values: [JSONValue] = [
        .null, .bool(true), .integer(-1), .integer(0), .integer(.max), .integer(.min), .integer(1 << 32),
        .integer(1 << 53),
        .string(""), .string("/"), .string("/etc"), .string("../../etc"), .string("/proc/self/exe"),
        .string("/dev/mem"),
        .string("/workspace"), .string("/run/rookery/start"), .string("a\u{0}b"), .string("\n"), .string("bpf"),
        .string("mount"), .string("sys_admin"), .string("host"), .string("99999999TiB"), .string("1TiB"), .string("1B"),
        .string(String(repeating: "x", count: 70_000)), .string("/\(String(repeating: "a/", count: 3000))"),
        .array([]), .object([:]), .array([.string("bpf"), .string("ptrace")]),
        .array([.string("/dev/mem")]), .array([.object(["source": "/proc", "target": "/data", "writable": true])]),
        .array(Array(repeating: .string("a"), count: 2000)),
    ]

    /// The tree with one to three of its values, at any depth, replaced or removed.
    static func replaced(_ tree: JSONValue, using generator: inout SeededGenerator) -> JSONValue {
        var result = tree
        for _ in 0..<Int.random(in: 1...3, using: &generator) { result = replacedOnce(result, using: &generator) }
        return result
    }

    private static func replacedOnce(_ tree: JSONValue, using generator: inout SeededGenerator) -> JSONValue {
        if Int.random(in: 0..<6, using: &generator) > 0 {
            if case .object(var members) = tree, let key = members.keys.sorted().randomElement(using: &generator) {
                if Int.random(in: 0..<20, using: &generator) == 0 {
                    members[key] = nil
                } else {
                    members[key] = replacedOnce(members[key] ?? .null, using: &generator)
                }
                return .object(members)
            }
            if case .array(var items) = tree, let index = items.indices.randomElement(using: &generator) {
                items[index] = replacedOnce(items[index], using: &generator)
                return .array(items)
            }
        }
        return values.randomElement(using: &generator) ?? .null
    }

    /// The bytes with some changed, lost or doubled.
    static func mutated(_ bytes: [UInt8], using generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            let end = min(bytes.count, place + Int.random(in: 1...8, using: &generator))
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            // Digits into digits keep the document readable and change what it says.
            case 2:
                if let digit = bytes[place...].firstIndex(where: { 0x30...0x39 ~= $0 }) {
                    bytes[digit] = UInt8.random(in: 0x30...0x39, using: &generator)
                }
            case 3: bytes.removeSubrange(place..<end)
            default: bytes.insert(contentsOf: bytes[place..<end], at: place)
            }
        }
        return bytes
    }

    /// What no launcher may carry out, said again in other words than the checks themselves.
    static func violation(in launch: LaunchRequest) -> String? {
        let limits = launch.rules.limits
        let size = ByteSize.gibibytes(1024)
        guard limits.memory >= .mebibytes(256), limits.memory <= size, limits.swap <= size else { return "memory" }
        guard (5...100_000).contains(limits.cpuPercent), (1...10_000).contains(limits.cpuWeight) else { return "cpu" }
        guard (16...65_536).contains(limits.pids), (64...1_048_576).contains(limits.openFiles) else { return "counts" }
        guard limits.temporary <= limits.memory, limits.effectiveMemoryHigh <= limits.memory else { return "sizes" }
        guard (0..<0x6000).contains(launch.uidSlot), launch.incarnation >= 0 else { return "slot" }
        guard (2...500).contains(launch.size.cols), (2...300).contains(launch.size.rows) else { return "terminal" }
        guard launch.environment.count <= 256, launch.gatewaySocket.utf8.count <= 107 else { return "environment" }
        guard launch.logBytes > 0, launch.logBytes <= 256 << 20 else { return "log" }
        for mount in launch.rules.mounts {
            for path in [mount.source, mount.target] {
                guard path.hasPrefix("/"), !path.contains(".."), !path.contains("\0"), !path.hasPrefix("/proc"),
                    !path.hasPrefix("/sys/"), !path.hasPrefix("/dev/"), path != "/"
                else { return "mount \(path)" }
            }
        }
        let worst: Set<String> = ["bpf", "ptrace", "mount", "unshare", "setns", "keyctl", "clone3"]
        guard launch.rules.seccomp.allow.isDisjoint(with: worst) else { return "seccomp" }
        guard !launch.rules.capabilities.contains("sys_admin") else { return "capabilities" }
        guard launch.rules.devices.allSatisfy({ $0.hasPrefix("/dev/") && $0 != "/dev/mem" }) else { return "devices" }
        guard !launch.rules.image.contains("/"), !launch.rules.image.isEmpty else { return "image" }
        return nil
    }
}
