import CLinux
import Foundation

/// What images and disk limits are made of.
enum FileSystemChecks {
    static func all(asRoot: Bool) -> [Finding] {
        let release = KernelChecks.contents("/proc/sys/kernel/osrelease") ?? ""
        let modules = "/lib/modules/\(release)"
        let known = (KernelChecks.contents("/proc/filesystems") ?? "") + "\n"
        let loadable = ["modules.builtin", "modules.dep"].compactMap { KernelChecks.contents("\(modules)/\($0)") }
            .joined(separator: "\n")
        var findings = ["overlay", "squashfs"].map { filesystem($0, known: known, loadable: loadable) }
        if asRoot { findings.append(loopDevices()) }
        return findings
    }

    /// - Parameters:
    ///   - known: /proc/filesystems.
    ///   - loadable: modules.builtin and modules.dep.
    static func filesystem(_ name: String, known: String, loadable: String) -> Finding {
        let use = name == "overlay" ? "a session's own changes to its system" : "built images"
        if known.split(separator: "\n").contains(where: { $0.split(separator: "\t").last.map(String.init) == name }) {
            return .ok(name, "the kernel has it, for \(use)")
        }
        if loadable.split(whereSeparator: { " :\n".contains($0) }).contains(where: {
            $0.split(separator: "/").last?.hasPrefix("\(name).ko") == true
        }) {
            return .ok(name, "a module of the kernel, for \(use)")
        }
        return .warn(name, "this kernel does not have it: no \(use)", "use a kernel with it, or modprobe \(name)")
    }

    private static func loopDevices() -> Finding {
        guard access("/dev/loop-control", R_OK | W_OK) == 0 else {
            return .warn(
                "loop devices", "/dev/loop-control cannot be used: no disk limits by image, and no built images",
                "modprobe loop; in a container, give it /dev/loop-control and /dev/loop*")
        }
        return .ok("loop devices", "/dev/loop-control")
    }
}

/// Which way a workspace's size can be limited.
enum DiskQuotaCheck {
    static func finding(near directory: String, asRoot: Bool) -> Finding {
        let place = StateChecks.existing(above: directory)
        let mounts = KernelChecks.contents("/proc/self/mountinfo") ?? ""
        return finding(
            options: options(of: place, in: mounts), asRoot: asRoot,
            loops: access("/dev/loop-control", R_OK | W_OK) == 0
                && ["/sbin/mkfs.ext4", "/usr/sbin/mkfs.ext4"].contains { (path: String) in access(path, X_OK) == 0 })
    }

    static func finding(options: Set<String>, asRoot: Bool, loops: Bool) -> Finding {
        let name = "disk limits"
        guard asRoot else {
            return .warn(
                name, "not enforced for an ordinary user",
                "start the server as root, or put the state directory on a filesystem of its own size")
        }
        let projects = !options.isDisjoint(with: ["prjquota", "pquota"])
        if loops {
            return .ok(name, "by an image of its own for each session" + (projects ? ", or project quota" : ""))
        }
        if projects { return .ok(name, "by project quota") }
        return .warn(
            name, "nothing here enforces them", "apt-get install e2fsprogs and modprobe loop, or mount with prjquota")
    }

    /// The mount options of the filesystem that a path is on (proc_pid_mountinfo(5)): the longest mount point above it.
    static func options(of path: String, in mounts: String) -> Set<String> {
        var best = (length: -1, options: Set<String>())
        for line in mounts.split(separator: "\n") {
            let halves = line.components(separatedBy: " - ")
            let before = halves[0].split(separator: " ")
            guard halves.count == 2, before.count > 5 else { continue }
            let point = String(before[4])
            guard path == point || path.hasPrefix(point == "/" ? "/" : point + "/"), point.count >= best.length else {
                continue
            }
            let all =
                before[5].split(separator: ",") + (halves[1].split(separator: " ").last ?? "").split(separator: ",")
            best = (point.count, Set(all.map(String.init)))
        }
        return best.options
    }
}
