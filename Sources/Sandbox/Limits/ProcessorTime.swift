import Glibc

/// Processor time in nanoseconds.
public struct ProcessorUse: Sendable, Hashable {
    public var total: UInt64
    /// Of it, in system calls and faults.
    public var kernel: UInt64

    public init(total: UInt64, kernel: UInt64 = 0) {
        self.total = total
        self.kernel = kernel
    }
}

/// What the sessions below one parent use of the processors, and whether they give way to one another.
public struct ProcessorTime: Sendable {
    private let parent: CgroupParent

    public init(_ parent: CgroupParent) { self.parent = parent }

    private var accounting: String? { parent.directories["cpuacct"] ?? parent.directories["unified"] }
    private var scheduling: String? { parent.directories["cpu"] ?? parent.directories["unified"] }

    /// What each session has used so far, by the name of its leaf.
    public func used() -> [String: ProcessorUse] {
        guard let accounting else { return [:] }
        var uses: [String: ProcessorUse] = [:]
        for name in CgroupFile.directories(in: accounting) {
            uses[name] =
                parent.cgroups.kind == .v1 ? useV1(in: "\(accounting)/\(name)") : useV2(in: "\(accounting)/\(name)")
        }
        return uses
    }

    private func useV1(in directory: String) -> ProcessorUse? {
        func number(_ file: String) -> UInt64? {
            CgroupFile.read("\(directory)/\(file)").flatMap { UInt64($0.prefix { $0 != "\n" }) }
        }
        return number("cpuacct.usage").map { ProcessorUse(total: $0, kernel: number("cpuacct.usage_sys") ?? 0) }
    }

    private func useV2(in directory: String) -> ProcessorUse? {
        guard let text = CgroupFile.read("\(directory)/cpu.stat") else { return nil }
        var microseconds: [Substring: UInt64] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2 { microseconds[words[0]] = UInt64(words[1]) }
        }
        return microseconds["usage_usec"].map {
            ProcessorUse(total: $0 &* 1000, kernel: (microseconds["system_usec"] ?? 0) &* 1000)
        }
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
