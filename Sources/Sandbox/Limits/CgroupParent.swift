import Glibc
public import Policy

/// The cgroup that holds all sessions of one state directory: `rookery-<8 hex digits>` below the launcher's own.
/// Two launchers of different state directories never touch each other's.
public struct CgroupParent: Sendable, Hashable {
    public let cgroups: Cgroups
    /// Its name in every hierarchy.
    public let name: String

    /// `stateDirectory` is the absolute path as the operator gave it, links resolved.
    public init(_ cgroups: Cgroups, stateDirectory: String) {
        self.cgroups = cgroups
        self.name = Self.name(of: stateDirectory)
    }

    /// Of the parent of a state directory, wherever it is.
    public static func name(of stateDirectory: String) -> String { "rookery-" + instance(of: stateDirectory) }

    /// FNV-1a of the path, folded to 32 bits: stable over builds and releases, unlike Swift's own hash.
    static func instance(of path: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in path.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(UInt32(truncatingIfNeeded: hash ^ (hash >> 32)), radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// The parent's directory by controller.
    public var directories: [String: String] { cgroups.bases.mapValues { "\($0)/\(name)" } }

    /// The leaf of that name, whether or not it exists.
    public func leaf(_ leafName: String) -> CgroupLeaf {
        CgroupLeaf(kind: cgroups.kind, directories: directories.mapValues { "\($0)/\(leafName)" })
    }

    /// Makes a leaf with its limits written, before anything runs in it. A leaf that is there already is emptied
    /// first: it is a predecessor's. The report is of those limits alone that cgroups hold. On failure nothing of it stays.
    public func makeLeaf(_ leafName: String, limits: ResourceLimits) throws(CgroupFault) -> (
        CgroupLeaf, [EnforcedLimit]
    ) {
        let leaf = leaf(leafName)
        guard cgroups.kind != .none else { return (leaf, LimitReport.cgroup(limits, cgroups: cgroups, leaf: leaf)) }
        if leaf.exists { try leaf.end() }
        do {
            // A cpuset of v1 without processors of its own would take no process.
            let made = CgroupLeaf(kind: leaf.kind, directories: leaf.directories.filter { $0.key != "cpuset" })
            try makeDirectories(of: made)
            try CgroupValues.write(limits, to: made)
            let (placed, fault) = ProcessorPlace(parent: self).bind(made, leafName, to: limits.processors)
            return (placed, LimitReport.cgroup(limits, cgroups: cgroups, leaf: placed, unbound: fault?.message))
        } catch {
            try? leaf.end()
            removeIfEmpty()
            throw error
        }
    }

    /// Names of the leaves that exist in any hierarchy.
    public func leaves() -> [String] {
        Set(directories.values.flatMap { CgroupFile.directories(in: $0) }).sorted()
    }

    /// Removes the parent where no leaf is left in it.
    public func removeIfEmpty() {
        for directory in Set(directories.values) { _ = CgroupFile.removeDirectory(directory) }
    }

    /// The same for a leaf that a launcher in another cgroup made: its parents have this one's name, elsewhere.
    public func removeIfEmpty(above leaf: [String: String]) {
        for directory in Set(leaf.values) {
            let above = directory.split(separator: "/").dropLast()
            if above.last == Substring(name) { _ = CgroupFile.removeDirectory("/" + above.joined(separator: "/")) }
        }
    }

    func makeDirectories(of leaf: CgroupLeaf) throws(CgroupFault) {
        if cgroups.kind == .v2 { try Delegation(cgroups).prepare() }
        for (controller, directory) in leaf.directories {
            let parent = directories[controller] ?? directory
            // Another launch of ours that just failed may remove the empty parent in between: make both again.
            var code: Int32 = ENOENT
            for _ in 0..<256 where code == ENOENT {
                code = CgroupFile.makeDirectory(parent)
                // Removed again before it was open to others.
                if code == ENOENT { continue }
                guard code == 0 || code == EEXIST else { throw Self.refused(controller, code, parent) }
                if cgroups.kind == .v2 { Delegation(cgroups).enable(in: parent) }
                code = CgroupFile.makeDirectory(directory)
            }
            // Controllers that are mounted together share the directory.
            guard code == 0 || code == EEXIST else { throw Self.refused(controller, code, directory) }
        }
    }

    static func refused(_ controller: String, _ code: Int32, _ path: String) -> CgroupFault {
        CgroupFault(
            step: "cgroup \(controller)", errno: code, message: "cannot make \(path): \(CgroupFile.text(code))",
            remedy: code == ENOSPC
                ? "the kernel's bound on cgroups (cgroup.max.descendants) is reached: end sessions or raise it"
                : "let the launcher write below its own cgroup, or run it with --rootless")
    }
}
