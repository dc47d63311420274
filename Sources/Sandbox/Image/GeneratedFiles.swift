import Foundation
import Glibc
import Policy

/// The files that every sandbox gets made for it: nothing of them comes from the host.
struct GeneratedFiles {
    /// Text by path, in the order of the paths.
    let files: [(path: String, text: String)]

    init(specification: SandboxSpecification, home: String) {
        let hostname = specification.hostname
        var texts = [
            "/etc/passwd": """
            root:x:0:0:root:/:/usr/sbin/nologin
            agent:x:1000:1000:agent:\(home):/bin/bash
            nobody:x:65534:65534:nobody:/:/usr/sbin/nologin

            """,
            "/etc/group": "root:x:0:\ntty:x:5:\nagent:x:1000:\nnogroup:x:65534:\n",
            "/etc/hosts": "127.0.0.1 localhost \(hostname)\n::1 localhost\n",
            "/etc/hostname": "\(hostname)\n",
            // No resolver: names are for the proxy to resolve, and a query would be a way out.
            "/etc/resolv.conf": specification.rules.network == .host ? Self.hostsResolver : "",
            "/etc/host.conf": "multi on\n",
            "/etc/nsswitch.conf": """
            passwd: files
            group: files
            shadow: files
            hosts: files\(specification.rules.network == .host ? " dns" : "")
            networks: files
            services: files
            protocols: files

            """,
            "/etc/shells": "/bin/sh\n/bin/bash\n",
            "/etc/machine-id": Self.randomHex(16) + "\n",
            "/run/rookery/boot_id": Self.randomUUID() + "\n",
            "/run/rookery/loadavg": "0.00 0.00 0.00 1/1 1\n",
            "/run/rookery/meminfo": Self.memory(specification.limits),
            "/run/rookery/stat": Self.processors(sysconf(Int32(_SC_NPROCESSORS_ONLN)), startedAt: time(nil)),
        ]
        texts["/etc/claude-code/managed-settings.json"] = specification.managedSettings
        files = texts.sorted { $0.key < $1.key }.map { (path: $0.key, text: $0.value) }
    }

    /// Where a file lies when the image's own /etc is shown: there it covers the image's.
    static func cover(of path: String) -> String { path.hasPrefix("/etc/") ? "/run/rookery" + path : path }

    /// Generated files that hide what /proc would tell about the host.
    static let overProc = [
        (file: "/run/rookery/boot_id", place: "/proc/sys/kernel/random/boot_id"),
        (file: "/run/rookery/loadavg", place: "/proc/loadavg"),
        (file: "/run/rookery/meminfo", place: "/proc/meminfo"),
        (file: "/run/rookery/stat", place: "/proc/stat"),
    ]

    /// The session's memory, as if nothing of it were used: what is, its cgroup knows.
    private static func memory(_ limits: ResourceLimits) -> String {
        let (total, swap) = (limits.memory.bytes / 1024, limits.swap.bytes / 1024)
        return [
            ("MemTotal", total), ("MemFree", total), ("MemAvailable", total), ("Buffers", 0), ("Cached", 0),
            ("SwapCached", 0), ("SwapTotal", swap), ("SwapFree", swap), ("Shmem", 0), ("SReclaimable", 0),
        ].map { "\($0):".padding(toLength: 16, withPad: " ", startingAt: 0) + "\($1) kB\n" }.joined()
    }

    /// As many processors as there are, which never did anything, and a boot at the sandbox's start.
    private static func processors(_ count: Int, startedAt: Int) -> String {
        let idle = " 0 0 0 0 0 0 0 0 0 0\n"
        return "cpu \(idle)" + (0..<max(count, 1)).map { "cpu\($0)\(idle)" }.joined()
            + "intr 0\nctxt 0\nbtime \(startedAt)\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n"
    }

    /// For the host's own network alone.
    private static var hostsResolver: String {
        guard let text = try? String(contentsOfFile: "/etc/resolv.conf", encoding: .utf8), text.utf8.count < 64 * 1024
        else { return "" }
        return text
    }

    /// Of at most 16 bytes.
    private static func randomHex(_ bytes: Int) -> String {
        let digits = [UInt64.random(in: .min ... .max), .random(in: .min ... .max)].map { number in
            let text = String(number, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        return String(digits.joined().prefix(2 * bytes))
    }

    private static func randomUUID() -> String {
        [randomHex(4), randomHex(2), "4" + randomHex(2).dropFirst(), "8" + randomHex(2).dropFirst(), randomHex(6)]
            .joined(separator: "-")
    }
}
