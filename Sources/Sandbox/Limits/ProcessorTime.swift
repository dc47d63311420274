import Glibc

/// What the sessions below one parent use of the processors, and whether they give way to one another.
public struct ProcessorTime: Sendable {
    private let parent: CgroupParent

    public init(_ parent: CgroupParent) { self.parent = parent }

    private var accounting: String? { parent.directories["cpuacct"] ?? parent.directories["unified"] }
    private var scheduling: String? { parent.directories["cpu"] ?? parent.directories["unified"] }

    /// Nanoseconds of processor time that each session has used so far, by the name of its leaf.
    public func used() -> [String: UInt64] {
        guard let accounting else { return [:] }
        var times: [String: UInt64] = [:]
        for name in CgroupFile.directories(in: accounting) {
            times[name] = nanoseconds(in: "\(accounting)/\(name)")
        }
        return times
    }

    private func nanoseconds(in directory: String) -> UInt64? {
        if parent.cgroups.kind == .v1 {
            return CgroupFile.read("\(directory)/cpuacct.usage").flatMap { UInt64($0.prefix { $0 != "\n" }) }
        }
        let line = CgroupFile.read("\(directory)/cpu.stat")?.split(separator: "\n").first
        return line.flatMap { $0.hasPrefix("usage_usec ") ? UInt64($0.dropFirst(11)) : nil }.map { $0 &* 1000 }
    }

    /// Whether all sessions together wait for whatever else runs on the machine, the service first of all. Best effort.
    public func setAll(giveWay: Bool) {
        guard let scheduling else { return }
        _ = CgroupFile.write("\(scheduling)/cpu.idle", giveWay ? "1\n" : "0\n")
    }

    /// Whether what runs in a leaf waits for everything that does not give way. Best effort: the leaf may be gone, and
    /// `cpu.idle` is there from Linux 5.15 on.
    public func set(_ name: String, givesWay: Bool) {
        guard let scheduling else { return }
        _ = CgroupFile.write("\(scheduling)/\(name)/cpu.idle", givesWay ? "1\n" : "0\n")
    }
}
