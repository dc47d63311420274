import Glibc
import WorkerControl

/// The freezer of the session's cgroup. Everything in the sandbox stops at it, rookery-init too; this worker is outside
/// and answers for the session meanwhile.
struct Freezer {
    private let descriptor: FreezerDescriptor

    init(_ descriptor: FreezerDescriptor) { self.descriptor = descriptor }

    func freeze() throws(SystemCallError) { try write(descriptor.freeze) }
    func thaw() throws(SystemCallError) { try write(descriptor.thaw) }

    private func write(_ word: String) throws(SystemCallError) {
        while pwrite(descriptor.number, word, word.utf8.count, 0) < 0 {
            guard errno == EINTR else { throw SystemCallError("write to the freezer", errno) }
        }
    }
}
