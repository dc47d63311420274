/// The compiled filters as sealed memory, made once and shared by all sandboxes of this process.
struct SeccompPrograms: Sendable {
    /// The command's, to be installed in this order: rookery-init takes exactly these two.
    let arguments: OwnedDescriptor
    let calls: OwnedDescriptor
    let initProcess: OwnedDescriptor

    static let shared: Result<SeccompPrograms, SandboxError> = Result { () throws(SandboxError) in
        let programs = try SeccompProfile.standard.compile()
        guard programs.count == 2 else {
            throw SandboxError(step: "seccomp", errno: 0, message: "\(programs.count) filters instead of two")
        }
        return SeccompPrograms(
            arguments: try memory(programs[0]), calls: try memory(programs[1]),
            initProcess: try memory(SeccompProfile.compileForInit()))
    }

    private static func memory(_ program: [UInt8]) throws(SandboxError) -> OwnedDescriptor {
        do {
            return try DescriptorMessages.sealedMemory(named: "rookery-seccomp", program)
        } catch {
            throw SandboxError(step: "seccomp", errno: error.errno, message: "\(error)")
        }
    }
}
