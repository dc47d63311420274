import Glibc

/// What a process needs to be born in a session's cgroup.
public struct CgroupEntrance: Sendable {
    /// v2: the cgroup's directory, for clone3 (CLONE_INTO_CGROUP).
    public var directory: OwnedDescriptor?
    /// v1: the `tasks` file of each hierarchy, which the new process writes itself before it does anything else.
    public var tasks: [OwnedDescriptor] = []

    public init(directory: OwnedDescriptor? = nil, tasks: [OwnedDescriptor] = []) {
        self.directory = directory
        self.tasks = tasks
    }
}

extension CgroupLeaf {
    /// nil without cgroups.
    public func entrance() throws(CgroupFault) -> CgroupEntrance? {
        switch kind {
        case .none: return nil
        case .v2:
            guard let directory = directories["unified"] else { return nil }
            return CgroupEntrance(directory: try open("unified", directory, O_RDONLY | O_DIRECTORY))
        case .v1:
            var tasks: [OwnedDescriptor] = []
            // Two controllers may be one hierarchy.
            for directory in Set(directories.values) { tasks.append(try open("v1", "\(directory)/tasks", O_WRONLY)) }
            return CgroupEntrance(tasks: tasks)
        }
    }

    private func open(_ hierarchy: String, _ path: String, _ flags: Int32) throws(CgroupFault) -> OwnedDescriptor {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CgroupFault(
                step: "cgroup \(hierarchy)", errno: errno, message: "cannot open \(path): \(CgroupFile.text(errno))",
                remedy: errno == ENOENT
                    ? "something else removed the cgroup: start the session again"
                    : "let the launcher write its own cgroups")
        }
        return OwnedDescriptor(owning: descriptor)
    }
}
