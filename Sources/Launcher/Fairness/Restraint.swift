import Policy
import Sandbox
import SessionCore

/// Restrains sessions that keep processors in the kernel, in what that costs others: they run on half of the processors
/// only, and wait for the disk with what they write to it. A bound that a policy sets stays as it is.
struct Restraint {
    private let keeping: ProcessorKeeping
    /// nil: no session has a disk of its own.
    private let disks: Directory?
    /// Where the note of it is.
    private let records: Directory
    private var note: RestraintNote

    /// With this much unwritten others feel nothing of a filler (Docs/benchmarks.md, Neighbours).
    static let unwritten = ByteSize.mebibytes(1)

    init(_ parent: CgroupParent, disks: Directory?, records: Directory) {
        keeping = ProcessorKeeping(parent)
        self.disks = disks
        self.records = records
        note = RestraintNote.read(in: records)
        // Of a launcher before this one.
        apply(KernelHolders.Verdict())
    }

    mutating func apply(_ verdict: KernelHolders.Verdict) {
        var next = RestraintNote(
            kept: note.kept.intersection(verdict.kept), slowed: note.slowed.intersection(verdict.slowed))
        for name in note.kept.subtracting(next.kept) { keeping.letGo(name) }
        for name in note.slowed.subtracting(next.slowed) { _ = bound(of: name)?.set(nil) }
        next.kept.formUnion(verdict.kept.subtracting(next.kept).filter(keeping.canKeep))
        next.slowed.formUnion(
            verdict.slowed.subtracting(next.slowed).filter { bound(of: $0).map { $0.bytes == nil } == true })
        guard next != note else { return }
        let (kept, slowed) = (next.kept.subtracting(note.kept), next.slowed.subtracting(note.slowed))
        guard next.write(in: records) else {
            // What could not be taken back later is not done.
            note = RestraintNote(kept: next.kept.subtracting(kept), slowed: next.slowed.subtracting(slowed))
            return
        }
        note = next
        for name in kept { _ = keeping.keep(name) }
        for name in slowed { _ = bound(of: name)?.set(Self.unwritten) }
    }

    private func bound(of name: String) -> WriteBound? {
        guard let disks, let id = SessionID(parsing: name) else { return nil }
        return WriteBound(of: id, in: disks)
    }
}
