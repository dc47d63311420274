import Policy

extension LimitReport {
    /// On how many processors a session runs, and on which.
    /// - Parameters:
    ///   - available: those that there are for it.
    ///   - fault: why the kernel did not bind it.
    static func processors(
        _ wanted: ProcessorCount?, _ leaf: CgroupLeaf, available: ProcessorList?, fault: String?, by: String,
        why: String
    ) -> EnforcedLimit {
        var entry = EnforcedLimit(
            name: "processors", asked: wanted?.description ?? ProcessorCount.all, enforced: nil, by: "none")
        guard let wanted else {
            entry.enforced = available.map { "\($0.count)" } ?? ProcessorCount.all
            entry.by = "kernel"
            return entry
        }
        guard let available else {
            entry.note = "the kernel does not say which there are"
            return entry
        }
        if let held = leaf.processors, held.count <= wanted.count(of: available.count) {
            entry.enforced = "\(held.count)"
            entry.by = by
            entry.note = "on \(held) of \(available)"
        } else if wanted == .allButOne, available.count == 1 {
            entry.note = "there is one processor here: none can be left out"
        } else if wanted.count(of: available.count) == available.count {
            entry.enforced = "\(available.count)"
            entry.by = "kernel"
            entry.note = "there are no more here"
        } else {
            entry.note = "its processes run on all of \(available): \(fault ?? why)"
        }
        return entry
    }
}
