/// A sandbox that is set up and waits for ``go()``. Dropped before that, it is killed and leaves nothing behind.
public final class StartedSandbox: Sendable {
    /// rookery-init, PID 1 inside; a child of this process, which must reap it in the end.
    public let process: ChildProcess
    /// PTY master of the terminal /dev/pts/0 inside.
    public let terminal: OwnedDescriptor
    /// TCP socket that listens on the sandbox's own loopback.
    public let listener: OwnedDescriptor
    /// Write end of the leash: a byte is a signal number for the command; the end of it ends the sandbox.
    public let leash: OwnedDescriptor
    /// Read end of the status pipe: `code <n>\n` or `signal <n>\n` when the command ends.
    public let status: OwnedDescriptor

    init(
        process: ChildProcess, terminal: OwnedDescriptor, listener: OwnedDescriptor, leash: OwnedDescriptor,
        status: OwnedDescriptor
    ) {
        self.process = process
        self.terminal = terminal
        self.listener = listener
        self.leash = leash
        self.status = status
    }

    /// Executes the session's command; returns once exec succeeded. On failure the sandbox is gone.
    public func go() throws(SandboxError) {
        throw SandboxError(step: "exec", errno: 0, message: "not implemented yet")
    }

    /// Kills everything inside and reaps rookery-init. Harmless when it has ended already.
    public func kill() { process.kill() }
}

extension SandboxSpecification {
    /// Makes the sandbox up to the point where its command could be executed. Blocks the calling thread for some
    /// milliseconds, at most ``patience``. On failure no process, mount or file of it is left.
    public func start() throws(SandboxError) -> StartedSandbox {
        throw SandboxError(step: "clone", errno: 0, message: "not implemented yet")
    }
}
