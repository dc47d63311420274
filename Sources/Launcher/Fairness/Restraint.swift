import Policy
import Sandbox
import SessionCore

/// Restrains sessions that keep processors in the kernel, in what that costs others: they run on half of the processors
/// only, and wait for the disk with what they write to it. A bound that a policy sets stays as it is.
struct Restraint {
    private let keeping: ProcessorKeeping
    /// nil: no session has a disk of its own.
    private let disks: Directory?
    /// Whether it was this that kept them.
    private var kept: [String: Bool] = [:]
    /// nil: it was not this that slowed them.
    private var slowed: [String: WriteBound?] = [:]

    /// With this much unwritten others feel nothing of a filler (Docs/benchmarks.md, Neighbours).
    static let unwritten = ByteSize.mebibytes(1)

    init(_ parent: CgroupParent, disks: Directory?) {
        keeping = ProcessorKeeping(parent)
        self.disks = disks
        keeping.letGoOfAll()
    }

    mutating func apply(_ verdict: KernelHolders.Verdict) {
        for name in verdict.kept where kept[name] == nil { kept[name] = keeping.keep(name) }
        for (name, isOurs) in kept where !verdict.kept.contains(name) {
            if isOurs { keeping.letGo(name) }
            kept[name] = nil
        }
        for name in verdict.slowed where slowed[name] == nil { slowed[name] = .some(slow(name)) }
        for (name, bound) in slowed where !verdict.slowed.contains(name) {
            _ = bound?.set(nil)
            slowed[name] = nil
        }
    }

    private func slow(_ name: String) -> WriteBound? {
        guard let disks, let id = SessionID(parsing: name), let bound = WriteBound(of: id, in: disks),
            bound.bytes == nil, bound.set(Self.unwritten) == nil
        else { return nil }
        return bound
    }
}
