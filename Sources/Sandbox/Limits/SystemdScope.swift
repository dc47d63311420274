import Glibc

/// A cgroup of this process's own that systemd makes and leaves to it: a transient scope with `Delegate=yes`
/// (org.freedesktop.systemd1(5), StartTransientUnit and AttachProcessesToUnit; systemd.resource-control(5)). Whoever is
/// started from a shell shares its cgroup with the shell, and no controller can be handed on there.
struct SystemdScope {
    /// The slice that all of them are in.
    static let slice = "rookery.slice"
    /// How long systemd may take, in milliseconds.
    private static let patience: Int32 = 10_000

    /// Root asks the system's, anybody else the user's own.
    let isUsers: Bool
    /// Become its members.
    let processes: [pid_t]

    init(processes: [pid_t]) {
        isUsers = geteuid() != 0
        self.processes = processes
    }

    private var runtimeDirectory: String { "/run/user/\(geteuid())" }

    /// Whether there is a systemd that can be asked.
    var isPossible: Bool {
        access("/run/systemd/system", F_OK) == 0
            && access(isUsers ? "\(runtimeDirectory)/bus" : "/run/dbus/system_bus_socket", F_OK) == 0
    }

    /// That of the user's own systemd.
    static func usersCgroup(below root: String) -> String {
        "\(root)/user.slice/user-\(geteuid()).slice/user@\(geteuid()).service"
    }

    var name: String { "rookery-\(processes.first ?? getpid()).scope" }

    /// Whether a cgroup's name is that of one that was made so.
    static func isName(_ name: some StringProtocol) -> Bool { name.hasPrefix("rookery-") && name.hasSuffix(".scope") }

    /// The call that has a scope made for the processes. Sessions have limits of their own, so that the manager's default
    /// for all of them together would be too low.
    var making: [String] {
        let properties = [
            ["Description", "s", "Rookery's sessions"], ["Slice", "s", Self.slice], ["Delegate", "b", "true"],
            ["CollectMode", "s", "inactive-or-failed"], ["TasksMax", "t", "\(UInt64.max)"], ["PIDs", "au"] + counted,
        ]
        return ["StartTransientUnit", "ssa(sv)a(sa(sv))", name, "fail", "\(properties.count)"]
            + properties.flatMap(\.self) + ["0"]
    }

    /// The call that puts them into a scope that is there: into the cgroup that its launcher had moved itself to.
    func joining(_ scope: String) -> [String] {
        ["AttachProcessesToUnit", "ssau", scope, "/\(Cgroups.ownGroup)"] + counted
    }

    private var counted: [String] { ["\(processes.count)"] + processes.map { "\($0)" } }

    /// The scope of an earlier launcher in which a parent of that name still is.
    /// - Parameter root: of the hierarchy, as it is mounted.
    func scope(holding parent: String, below root: String) -> String? {
        let slice = "\(isUsers ? Self.usersCgroup(below: root) : root)/\(Self.slice)"
        return CgroupFile.directories(in: slice).sorted().first {
            Self.isName($0) && CgroupFile.exists("\(slice)/\($0)/\(parent)")
        }
    }

    /// Has systemd put the processes into that scope, or into one of their own. Returns once the kernel has this one there.
    func enter(_ scope: String? = nil) throws(CgroupFault) {
        let answer: (exit: ChildProcess.Exit, complaints: String)
        do { answer = try ask(scope.map(joining) ?? making) } catch {
            throw fault(error.errno, "systemd cannot be asked for a scope: \(error)")
        }
        guard answer.exit == .code(0) else {
            throw fault(
                EPERM, "systemd gives no scope: " + answer.complaints.split(separator: "\n").joined(separator: "; "))
        }
        let deadline = ContinuousClock.now + .milliseconds(Int(Self.patience))
        while CgroupFile.read("/proc/self/cgroup")?.contains("/\(scope ?? name)") != true {
            guard ContinuousClock.now < deadline else {
                throw fault(ETIMEDOUT, "systemd did not put this process into \(scope ?? name)")
            }
            usleep(5000)
        }
    }

    /// Runs `busctl`, and tells what it complains of.
    private func ask(_ call: [String]) throws(SystemError) -> (exit: ChildProcess.Exit, complaints: String) {
        let path = access("/usr/bin/busctl", X_OK) == 0 ? "/usr/bin/busctl" : "/bin/busctl"
        return try SystemTool.run(
            path,
            [
                isUsers ? "--user" : "--system", "--quiet", "call", "org.freedesktop.systemd1",
                "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
            ] + call,
            environment: ["PATH=/usr/bin:/bin", "LANG=C", "XDG_RUNTIME_DIR=\(runtimeDirectory)"], within: Self.patience)
    }

    private func fault(_ errno: Int32, _ message: String) -> CgroupFault {
        CgroupFault(
            step: "cgroup unified", errno: errno, message: message,
            remedy: "start it as a systemd service with Delegate=yes, or by "
                + "'systemd-run \(isUsers ? "--user " : "")--scope -p Delegate=yes'")
    }
}

extension Cgroups {
    /// Below which an ordinary user's systemd makes scopes; nil without one that can be asked.
    public static var usersOwn: String? {
        let scope = SystemdScope(processes: [])
        let path = SystemdScope.usersCgroup(below: "/sys/fs/cgroup")
        return scope.isUsers && scope.isPossible && access(path, W_OK) == 0 ? path : nil
    }
}
