/// cgroup v1's cpu.shares for cgroup v2's cpu.weight: 1024 shares are a weight of 100.
enum CPUShares {
    static func shares(of weight: Int) -> Int { min(max(weight * 1024 / 100, 2), 262_144) }
    static func weight(of shares: Int) -> Int { (shares * 100 + 512) / 1024 }
}

/// BFQ's scale of 1…1000 for cgroup v2's of 1…10000; both have 100 in the middle.
enum BFQWeight {
    static func bfq(of weight: Int) -> Int {
        weight <= 100 ? max(weight, 1) : min(100 + (weight - 100) * 900 / 9900, 1000)
    }
    static func weight(of bfq: Int) -> Int { bfq <= 100 ? bfq : 100 + (bfq - 100) * 9900 / 900 }
}

/// Whether a weight of disk bandwidth means anything on this machine: only some I/O schedulers look at it.
struct IOScheduling: Sendable {
    /// A disk has BFQ as its scheduler.
    var usesBFQ: Bool
    /// v2: a disk has the cost model (io.cost.qos) switched on.
    var usesCosts: Bool

    /// Looks at all disks; `controllers` is the root directory of cgroup v2, for the cost model.
    static func detect(blockDevices: String = "/sys/block", controllers: String? = nil) -> IOScheduling {
        // Loop devices and those of memory have no scheduler of their own, and there may be one for each session.
        let disks = CgroupFile.links(in: blockDevices).filter { name in
            !["loop", "ram", "zram"].contains { name.hasPrefix($0) }
        }
        let schedulers = disks.compactMap { CgroupFile.read("\(blockDevices)/\($0)/queue/scheduler") }
        let costs = controllers.flatMap { CgroupFile.read("\($0)/io.cost.qos") } ?? ""
        return IOScheduling(
            usesBFQ: schedulers.contains { $0.contains("[bfq]") }, usesCosts: costs.contains("enable=1"))
    }
}
