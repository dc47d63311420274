import Glibc

/// How this process can limit what sessions use: by cgroup v2, by cgroup v1, or not at all. Found once at start.
public struct Cgroups: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable { case v2, v1, none }

    public let kind: Kind
    /// The directory of this process's own cgroup, by controller (`memory`, `cpu`, `pids`, `blkio`, `cpuacct`,
    /// `freezer`, `cpuset`), or the one under `unified`. Everything made is below these, so that the launcher's own limits hold for it too.
    public let bases: [String: String]
    /// Which of memory, cpu and pids the kernel offers there; on v2 io and cpuset too.
    public let controllers: Set<String>
    /// Why there are none, for a person; nil unless ``kind`` is `.none`.
    public let reason: String?

    /// The controllers without any of which a hierarchy is of no use.
    static let limiting = ["memory", "cpu", "pids"]
    /// v2 only: taken where it is offered beside one of those.
    static let sharing = ["io", "cpuset"]
    /// v1 only: hierarchies for shares of the disk, for accounting, for the freezer and for processors.
    static let extra = ["blkio", "cpuacct", "freezer", "cpuset"]
    /// The cgroup that a launcher below a delegated v2 cgroup moves itself and its supervisor into.
    static let ownGroup = "rookery-supervisor"

    init(kind: Kind, bases: [String: String], controllers: Set<String>, reason: String? = nil) {
        self.kind = kind
        self.bases = bases
        self.controllers = controllers
        self.reason = reason
    }

    public static func none(_ reason: String) -> Cgroups {
        Cgroups(kind: .none, bases: [:], controllers: [], reason: reason)
    }

    /// Finds them for a process that is about to make cgroups. Where its own is not its to divide (it was started from a
    /// shell), systemd is asked for one that is.
    /// - Parameters:
    ///   - processes: those that belong together, this one among them: systemd's cgroup is theirs.
    ///   - parent: the name of a parent that a launcher before this one may have left with sessions in it: then that one's
    ///     cgroup, so that one launcher has all of them.
    ///   - refused: told why systemd gave none, where there is one to be asked. What can be had without it is returned.
    public static func claim(
        for processes: [pid_t] = [getpid()], of parent: String? = nil, refused: (CgroupFault) -> Void = { _ in }
    ) -> Cgroups {
        let found = detect()
        let scope = SystemdScope(processes: processes)
        guard found.kind != .v1, !Delegation(found).isPossible, scope.isPossible else { return found }
        let root = MountEntry.all(in: CgroupFile.read("/proc/self/mountinfo") ?? "").first { $0.type == "cgroup2" }
        if let parent, let root, let earlier = scope.scope(holding: parent, below: root.mountPoint),
            (try? scope.enter(earlier)) != nil
        {
            return detect()
        }
        do throws(CgroupFault) { try scope.enter() } catch {
            refused(error)
            return found
        }
        return detect()
    }

    /// Looks at this process's own mounts and cgroups, and at whether it may write there.
    /// - Parameter process: another, such as a launcher that has claimed its own.
    public static func detect(of process: pid_t = getpid()) -> Cgroups {
        guard let mounts = CgroupFile.read("/proc/\(process)/mountinfo"),
            let own = CgroupFile.read("/proc/\(process)/cgroup")
        else { return .none("/proc/\(process) cannot be read") }
        let found = find(
            mountinfo: mounts, ownCgroups: own,
            offered: { directory in
                let text = CgroupFile.read("\(directory)/cgroup.controllers") ?? ""
                return Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
            })
        return found.onlyWritable()
    }

    /// The decision of ``detect()`` from the texts alone. `offered` tells the controllers of a v2 directory.
    ///
    /// v2 is taken when it has a limiting controller: on a hybrid machine the v2 hierarchy is mounted without any,
    /// and the controllers are v1's.
    static func find(mountinfo: String, ownCgroups: String, offered: (String) -> Set<String>) -> Cgroups {
        let mounts = MountEntry.all(in: mountinfo)
        var own: [String: String] = [:]
        for line in ownCgroups.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            if fields[0] == "0", fields[1].isEmpty { own["unified"] = String(fields[2]) }
            for controller in fields[1].split(separator: ",") { own[String(controller)] = String(fields[2]) }
        }

        if let path = own["unified"] {
            for mount in mounts where mount.type == "cgroup2" && !mount.isReadOnly {
                guard var directory = mount.directory(ofCgroup: path) else { continue }
                // A launcher started again from where its predecessor had moved itself.
                if directory.hasSuffix("/" + ownGroup) { directory.removeLast(ownGroup.count + 1) }
                let offered = offered(directory)
                let controllers = offered.intersection(limiting + sharing)
                if !offered.isDisjoint(with: limiting) {
                    return Cgroups(kind: .v2, bases: ["unified": directory], controllers: controllers)
                }
            }
        }

        var bases: [String: String] = [:]
        for controller in limiting + extra {
            guard let path = own[controller] else { continue }
            for mount in mounts
            where mount.type == "cgroup" && !mount.isReadOnly && mount.superOptions.contains(Substring(controller)) {
                guard let directory = mount.directory(ofCgroup: path) else { continue }
                bases[controller] = directory
                break
            }
        }
        let controllers = Set(bases.keys).intersection(limiting)
        if !controllers.isEmpty { return Cgroups(kind: .v1, bases: bases, controllers: controllers) }
        return .none(
            mounts.contains { $0.type == "cgroup" || $0.type == "cgroup2" }
                ? "no writable cgroup mount offers memory, cpu or pids to this process"
                : "no cgroup file system is mounted")
    }

    private func onlyWritable() -> Cgroups {
        let writable = bases.filter { access($0.value, W_OK) == 0 }
        switch kind {
        case .none: return self
        case .v2:
            // Placing a session needs to write the procs file of the common ancestor too (cgroups(7), delegation).
            guard let base = writable["unified"], access(base + "/cgroup.procs", W_OK) == 0 else {
                return .none(
                    "\(bases["unified"] ?? "the cgroup") is not delegated to uid \(geteuid()): start under systemd with "
                        + "Delegate=yes")
            }
            return self
        case .v1:
            let controllers = Set(writable.keys).intersection(Self.limiting)
            guard !controllers.isEmpty else { return .none("cgroup v1 is not delegated to ordinary users") }
            return Cgroups(kind: .v1, bases: writable, controllers: controllers)
        }
    }
}
