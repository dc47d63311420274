import Policy
import Synchronization

/// The compiled filters as sealed memory, made once for each set of rules and shared by all sandboxes of this process.
struct SeccompPrograms: Sendable {
    /// The command's, to be installed in this order: rookery-init takes exactly these two.
    let arguments: OwnedDescriptor
    let calls: OwnedDescriptor
    let initProcess: OwnedDescriptor

    private static let cache = Mutex<[SeccompProfile: SeccompPrograms]>([:])
    /// More policies than this, with rules of their own each, compile again: some milliseconds.
    private static let most = 64

    static func compiled(for rules: SeccompRules) throws(SandboxError) -> SeccompPrograms {
        let profile = try SeccompProfile(rules)
        if let known = cache.withLock({ $0[profile] }) { return known }
        let commands = try profile.compile()
        guard commands.count == 2 else {
            throw SandboxError(step: "seccomp", errno: 0, message: "\(commands.count) filters instead of two")
        }
        let programs = SeccompPrograms(
            arguments: try memory(commands[0]), calls: try memory(commands[1]),
            initProcess: try memory(SeccompProfile.compileForInit()))
        cache.withLock {
            if $0.count >= most { $0.removeAll() }
            $0[profile] = programs
        }
        return programs
    }

    private static func memory(_ program: [UInt8]) throws(SandboxError) -> OwnedDescriptor {
        do {
            return try DescriptorMessages.sealedMemory(named: "rookery-seccomp", program)
        } catch {
            throw SandboxError(step: "seccomp", errno: error.errno, message: "\(error)")
        }
    }
}
