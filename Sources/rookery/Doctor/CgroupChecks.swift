import Foundation
import Sandbox

/// Which limits cgroups can enforce for whoever runs this.
enum CgroupChecks {
    private static let wanted = ["memory", "cpu", "pids", "io", "cpuset"]

    static func all() -> [Finding] {
        let mounts = KernelChecks.contents("/proc/self/mountinfo") ?? ""
        let own = KernelChecks.contents("/proc/self/cgroup") ?? ""
        return findings(hierarchies(mounts: mounts, own: own, users: Cgroups.usersOwn)) { access($0, W_OK) == 0 } + [
            ending(mounts: mounts, own: own, users: Cgroups.usersOwn) { access($0, W_OK) == 0 }
        ]
    }

    /// Whether a session's processes can be ended and stopped as one: cgroup.kill of Linux 5.14, or v1's freezer.
    static func ending(
        mounts: String, own: String, users: String? = nil, writable: (String) -> Bool
    ) -> Finding {
        let lines = mounts.split(separator: "\n").map { $0.components(separatedBy: " - ") }.filter { $0.count == 2 }
        let points = lines.map { (point: $0[0].split(separator: " ").dropFirst(4).first ?? "", rest: $0[1]) }
        if let freezer = points.first(where: { $0.rest.hasPrefix("cgroup ") && $0.rest.hasSuffix("freezer") }) {
            guard writable(String(freezer.point)) else { return notFrozen("\(freezer.point) is not writable") }
            return .ok("cgroup freezer", "sessions can be frozen by v1 at \(freezer.point)")
        }
        guard let unified = points.first(where: { $0.rest.hasPrefix("cgroup2 ") }) else {
            return .warn(
                "cgroup freezer", "there is none: sessions cannot be frozen", "mount -t cgroup2 none /sys/fs/cgroup")
        }
        if let users { return .ok("cgroup freezer", "cgroup.freeze and cgroup.kill of v2 below \(users)") }
        // The root cgroup has no such file: root may make cgroups below it, and they have.
        let path = own.split(separator: "\n").first { $0.hasPrefix("0::") }?.dropFirst(3) ?? "/"
        let file = path == "/" ? String(unified.point) : "\(unified.point)\(path)/cgroup.kill"
        guard writable(file) else { return notFrozen("\(file) is missing or not writable") }
        return .ok("cgroup freezer", "cgroup.freeze and cgroup.kill of v2 at \(unified.point)")
    }

    private static func notFrozen(_ reason: String) -> Finding {
        .warn(
            "cgroup freezer", "\(reason): sessions are not frozen, and ended one process after the other",
            "start the server as root, or as a user with a systemd of its own, on Linux 5.14 or later")
    }

    /// The directory below which this process may make cgroups, by controller.
    struct Hierarchies: Equatable {
        /// `v2`, `v1` or `none`.
        var version: String
        var directories: [String: String]
    }

    /// Reads mountinfo (proc_pid_mountinfo(5)) and the process's own cgroups (cgroups(7)).
    static func hierarchies(
        mounts: String, own: String, users: String? = nil,
        controllers: (String) -> String? = { KernelChecks.contents($0 + "/cgroup.controllers") }
    ) -> Hierarchies {
        var version2: String?
        var version1: [String: String] = [:]
        for line in mounts.split(separator: "\n") {
            let halves = line.components(separatedBy: " - ")
            let before = halves[0].split(separator: " ")
            let after = halves.count > 1 ? halves[1].split(separator: " ") : []
            guard before.count > 4, let type = after.first else { continue }
            let point = String(before[4])
            if type == "cgroup2" { version2 = version2 ?? point }
            if type == "cgroup", let options = after.last {
                for name in options.split(separator: ",").map(String.init) {
                    // v1's name for io.
                    let controller = name == "blkio" ? "io" : name
                    if wanted.contains(controller) { version1[controller] = point }
                }
            }
        }
        if let version2 {
            func offered(_ directory: String) -> [String: String] {
                let has = Set((controllers(directory) ?? "").split(whereSeparator: \.isWhitespace).map(String.init))
                return Dictionary(uniqueKeysWithValues: wanted.filter(has.contains).map { ($0, directory) })
            }
            // What the user's own has not is the machine's to delegate.
            let found = offered(version2).merging(users.map(offered) ?? [:]) { $1 }
            if !found.isEmpty { return Hierarchies(version: "v2", directories: found) }
        }
        return Hierarchies(version: version1.isEmpty ? "none" : "v1", directories: version1)
    }

    static func findings(_ hierarchies: Hierarchies, writable: (String) -> Bool) -> [Finding] {
        guard hierarchies.version != "none" else {
            return [
                .warn(
                    "cgroups", "none are mounted: memory, CPU and process limits fall back to rlimits or nothing",
                    "mount -t cgroup2 none /sys/fs/cgroup")
            ]
        }
        return wanted.map { controller in
            guard let directory = hierarchies.directories[controller] else {
                return .warn(
                    "cgroup \(controller)", "\(hierarchies.version) has no \(controller) controller",
                    "boot with it enabled (cgroup_enable=\(controller))")
            }
            guard writable(directory) else {
                return .warn(
                    "cgroup \(controller)", "\(directory) is not writable for this user: the limit is not enforced",
                    hierarchies.version == "v1"
                        ? "start the server as root"
                        : "start the server as root, or 'systemctl edit user@.service' with [Service] Delegate=cpu "
                            + "cpuset io memory pids; for a user without a login 'loginctl enable-linger'")
            }
            return .ok("cgroup \(controller)", "enforceable by \(hierarchies.version) at \(directory)")
        }
    }
}
