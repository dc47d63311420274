// Re-exported: SandboxLayout lies in Policy, where Sandbox can see it too.
@_exported public import Policy
public import SessionCore

/// What the launcher hands a new worker on descriptor 3 (a sealed memfd with this as JSON).
public struct WorkerConfiguration: Codable, Sendable {
    public var sessionID: SessionID
    public var incarnation: Int
    /// Where the worker puts its sockets: `<runtime>/w/<session>`; exists, mode 0700, owned by the worker.
    public var runtimeDirectory: String
    public var size: TerminalSize
    public var firstSequence: UInt64
    public var gatewaySocket: String
    /// Its Unix socket for everything else that is let out; nil, as from an earlier version: nothing is.
    public var egressSocket: String?
    public var logBytes: Int
    /// How much of the session's past stays on disk; nil from a launcher of an earlier version.
    public var journal: JournalRules?
    public var descriptors: WorkerDescriptors
    /// What clients may do; nil from a launcher of an earlier version.
    public var commands: CommandRules?
    /// The session's MCP server is a channel too; nil, as from an earlier version: it is none.
    public var offersChannel: Bool?
    /// Wait for the session; nil: it is there.
    public var isSpare: Bool?
    /// Names of the system calls whose refusals come to the worker, by number.
    public var countedCalls: [Int: String]
    /// Whether the worker gives up what it does not need once it has set itself up; false is for finding faults.
    public var confined: Bool

    public init(
        sessionID: SessionID, incarnation: Int, runtimeDirectory: String, size: TerminalSize, firstSequence: UInt64,
        gatewaySocket: String, logBytes: Int, journal: JournalRules? = nil, descriptors: WorkerDescriptors,
        countedCalls: [Int: String] = [:], confined: Bool = true
    ) {
        self.sessionID = sessionID
        self.incarnation = incarnation
        self.runtimeDirectory = runtimeDirectory
        self.size = size
        self.firstSequence = firstSequence
        self.gatewaySocket = gatewaySocket
        self.logBytes = logBytes
        self.journal = journal
        self.descriptors = descriptors
        self.confined = confined
        self.countedCalls = countedCalls
    }
}

/// The numbers of the descriptors a worker is born with.
public struct WorkerDescriptors: Codable, Sendable {
    /// This configuration.
    public static let configuration: Int32 = 3
    /// PTY master of the session's terminal.
    public var terminal: Int32
    /// The TCP socket that listens on the sandbox's loopback; nil for a session without network.
    public var listener: Int32?
    /// The standard streams of a structured session's command; nil: it has the terminal.
    public var streams: StreamDescriptors?
    /// Write end of the leash. One byte written is a signal number for the session's command; when the last
    /// copy closes, rookery-init ends everything in the sandbox.
    public var leash: Int32
    /// Read end of the status pipe: rookery-init writes `code <n>\n` or `signal <n>\n` when the command ends.
    public var status: Int32
    /// pidfd of rookery-init: readable when the sandbox is gone.
    public var sandbox: Int32
    /// Directory descriptor of the session's home, readable and writable by the worker's own uid.
    public var home: Int32
    /// The same of the session's workspace; nil from a launcher of an earlier version.
    public var workspace: Int32?
    /// Write end of the ready pipe. The worker writes `ready\n` once its sockets listen, or one line of error,
    /// and closes it.
    public var ready: Int32
    /// The Unix socket on which the listener for refused system calls comes: for ``ViolationResponder``.
    public var violations: Int32?
    /// Stops and continues everything in the sandbox; nil where that cannot be done.
    public var freezer: FreezerDescriptor?
    /// Directory descriptor of the session's journal, the worker's own; nil from a launcher of an earlier version, and
    /// then the log is in memory alone.
    public var journal: Int32?

    public init(
        terminal: Int32, listener: Int32?, leash: Int32, status: Int32, sandbox: Int32, home: Int32, ready: Int32,
        violations: Int32? = nil
    ) {
        self.terminal = terminal
        self.listener = listener
        self.leash = leash
        self.status = status
        self.sandbox = sandbox
        self.home = home
        self.ready = ready
        self.violations = violations
    }
}

/// Pipes to and from the standard streams of a session's command. The command's own ends are there too: held by the worker,
/// they keep a tenant who closes and opens its end again from showing the worker an end that is none.
public struct StreamDescriptors: Codable, Sendable, Hashable {
    /// Write end of its standard input.
    public var input: Int32
    /// Read end of its standard output.
    public var output: Int32
    /// Read end of its standard error.
    public var error: Int32
    /// The other ends, in the same order.
    public var held: [Int32]

    public init(input: Int32, output: Int32, error: Int32, held: [Int32]) {
        self.input = input
        self.output = output
        self.error = error
        self.held = held
    }
}

/// A cgroup's freezer file, opened for writing by the launcher: it reaches this one session and nothing else.
public struct FreezerDescriptor: Codable, Sendable, Hashable {
    public var number: Int32
    /// What is written to it.
    public var freeze: String
    public var thaw: String

    public init(number: Int32, freeze: String, thaw: String) {
        self.number = number
        self.freeze = freeze
        self.thaw = thaw
    }
}

/// Names inside a session's runtime directory `<runtime>/w/<session id>/`.
public enum WorkerSockets {
    /// Framed JSON between supervisor and worker.
    public static let control = "control.sock"
    /// HTTP/1.1 and WebSocket for clients that the supervisor relays.
    public static let client = "client.sock"
    /// Clients' sockets themselves, with ``HandOverOffer``s (SOCK_SEQPACKET).
    public static let handOver = "handover.sock"

    /// The one beside a ``client`` socket.
    public static func handOver(beside client: String) -> String {
        String(client.prefix(upTo: client.lastIndex(of: "/").map(client.index(after:)) ?? client.startIndex)) + handOver
    }
}
