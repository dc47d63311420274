import Glibc
import Sandbox
import SessionCore

/// Whether a session's programs stand still while its files are copied: none run, or its worker holds them frozen.
struct SessionStillness {
    /// nil: nothing of it runs.
    private let record: LaunchRecord?

    /// For the kernel to stop the last of them.
    private static let longestWait = 50

    init(of session: SessionID, in records: Directory) {
        record = LaunchRecord.read(session, in: records).flatMap { $0.sandbox.runs ? $0 : nil }
    }

    var holds: Bool { record.map { CgroupFreezer.state(in: $0.cgroups) == .frozen } ?? true }

    /// Until what is being frozen is; half a second at most.
    func wait() {
        guard let record else { return }
        for _ in 0..<Self.longestWait where CgroupFreezer.state(in: record.cgroups) == .freezing { usleep(10_000) }
    }
}
