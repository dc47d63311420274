/// What rookery-init does inside the new namespaces, in order. Encoded as its plan.h says; what each step does there
/// is in the table of its plan.c.
public struct LaunchPlan: Sendable, Hashable {
    public var steps: [Step]

    public init(steps: [Step] = []) { self.steps = steps }

    public enum Step: Sendable, Hashable {
        /// Give the command a time namespace in which the machine has just started.
        case time
        /// Take uid and gid 0 (root mode), or stay what the only mapped id is.
        case identity(root: Bool)
        case makePrivate
        /// Rootless: copy the host's mount at `path` into the next slot, if it still is this object.
        case pin(path: String, device: UInt64, inode: UInt64, attributes: MountAttributes, recursive: Bool)
        /// Copy the inside's mount at a path into the next slot.
        case clone(String)
        /// Cover a directory of the host with the new root.
        case root(over: String, bytes: UInt64, inodes: Int)
        /// Cover it with a tree that was sent: the new root.
        case prepared(slot: Int, over: String)
        case directory(String, mode: Int, owner: Owner)
        case link(String, target: String)
        case file(String, mode: Int, text: String)
        case mount(slot: Int, path: String, place: Place)
        case tmpfs(String, bytes: UInt64, inodes: Int, mode: Int, owner: Owner)
        case device(String)
        case terminal(columns: UInt16, rows: UInt16, most: Int)
        case proc
        /// Cover what may be at a path; `directory` is what it most likely is.
        case mask(String, directory: Bool)
        case pivot
        case readOnly(String)
        /// Cover a directory with itself and, above it, what the session changes; `upper` and `work` lie on one
        /// filesystem that is the session's own.
        case overlay(String, lower: String, upper: String, work: String)
        /// Take away the mount at a path and all below it.
        case detach(String)
        case hostname(String)
        /// Raise the loopback and listen on it.
        case network(address: String, port: Int)
        /// Raise the loopback.
        case loopback
        case keyring
        case limit(Resource, soft: UInt64, hard: UInt64)
        /// Give up every privilege but these capabilities, which the command keeps.
        case privileges(keeping: Capabilities)
        /// What Landlock lets the command do with all that lies at a path. The first such step turns Landlock on.
        case landlock(PathAccess, String)
        case argument(String)
        case environment(String)
        case workDirectory(String)
        /// The command has the standard streams of rookery-init instead of the terminal.
        case streams
    }

    public enum Owner: Int, Sendable, Hashable {
        case root = 0
        case agent = 1000
    }

    /// How the place of a mount comes to be.
    public enum Place: String, Sendable, Hashable {
        case directory
        case file
        /// It exists.
        case there
    }

    public enum PathAccess: String, Sendable, Hashable {
        /// Read and execute.
        case read
        case write
        /// Read, write and control what is there; make nothing.
        case device
    }

    /// rlimits by their number (getrlimit(2)).
    public enum Resource: Int, Sendable, Hashable {
        case fileSize = 1
        case core = 4
        case processes = 6
        case openFiles = 7
        case lockedMemory = 8
        case pendingSignals = 11
        case messageQueues = 12
        case realTimePriority = 14
    }
}

/// Attributes of a mount, as mount_setattr(2) numbers them.
public struct MountAttributes: OptionSet, Sendable, Hashable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let readOnly = MountAttributes(rawValue: 1)
    public static let noSetuid = MountAttributes(rawValue: 2)
    public static let noDevices = MountAttributes(rawValue: 4)
}
