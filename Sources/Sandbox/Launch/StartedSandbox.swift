import Glibc

/// A sandbox that is set up and waits for ``go()``. Dropped before that, it ends by itself: with the launcher's end of
/// the conversation closed, rookery-init exits, and everything it made goes with its namespaces.
public final class StartedSandbox: Sendable {
    /// rookery-init, PID 1 inside; a child of this process, which must reap it in the end.
    public let process: ChildProcess
    /// PTY master of the terminal /dev/pts/0 inside.
    public let terminal: OwnedDescriptor
    /// TCP socket that listens on the sandbox's loopback; nil without one.
    public let listener: OwnedDescriptor?
    /// Write end of the leash: a byte is a signal number for the command; the end of it ends the sandbox. Whoever
    /// holds a copy keeps the sandbox alive.
    public let leash: OwnedDescriptor
    /// Read end of the status pipe: `code <n>\n` or `signal <n>\n` when the command ends.
    public let status: OwnedDescriptor

    /// Unix socket on which the listener for refused calls comes once the command starts: for ``CallRefusal``.
    public let violations: OwnedDescriptor

    private let conversation: InitConversation

    init(
        process: ChildProcess, terminal: OwnedDescriptor, listener: OwnedDescriptor?, leash: OwnedDescriptor,
        status: OwnedDescriptor, violations: OwnedDescriptor, conversation: InitConversation
    ) {
        self.process = process
        self.terminal = terminal
        self.listener = listener
        self.leash = leash
        self.status = status
        self.violations = violations
        self.conversation = conversation
    }

    /// Executes the session's command; returns once exec succeeded. On failure the sandbox is gone. To be called once.
    public func go() throws(SandboxError) {
        do throws(SandboxError) {
            do throws(SandboxError) {
                try conversation.say("go")
            } catch {
                // It may have said why it ended.
                _ = try conversation.hear()
                throw error
            }
            // The last copy of rookery-init's end closes at the command's exec.
            if let word = try conversation.hear()?.word {
                throw SandboxError(step: "exec", errno: 0, message: "rookery-init said '\(word)' instead of starting")
            }
        } catch {
            kill()
            throw error
        }
    }

    /// Kills everything inside and reaps rookery-init. Harmless when it has ended already.
    public func kill() { process.kill() }
}
