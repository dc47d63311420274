import CLinux
import Glibc

/// A program to start with ``start()``. The new process inherits nothing but what is named here: every other
/// descriptor closes, signal dispositions and mask are reset, the environment is exactly ``environment``.
public struct Spawn: Sendable {
    /// The executable (not a `#!` script), opened with O_PATH and O_CLOEXEC. Executed by descriptor.
    public var program: OwnedDescriptor
    /// With the program's name first.
    public var arguments: [String]
    /// `NAME=value` strings.
    public var environment: [String]
    /// Becomes descriptors 0, 1 and 2; nil is /dev/null.
    public var standardInput: OwnedDescriptor?
    public var standardOutput: OwnedDescriptor?
    public var standardError: OwnedDescriptor?
    /// Become 3, 4, 5, … in this order; at most ``mostDescriptors``.
    public var descriptors: [OwnedDescriptor]
    /// `RK_NEW_*` flags.
    public var namespaces: UInt64 = 0
    /// Where it is born; nil: in this process's own cgroups.
    public var cgroup: CgroupEntrance?
    /// Directory to start in; nil keeps the caller's.
    public var directory: OwnedDescriptor?
    public var umask: Int32? = 0o077
    public var newSession = true
    /// Drops the supplementary groups and takes these ids for good.
    public var user: (uid: UInt32, gid: UInt32)?
    /// Gives up for good what uid 0 could mean again: empties the bounding set, locks the securebits. Needs root.
    public var shedsPrivileges = false

    public static let mostDescriptors = Int(RK_SPAWN_DESCRIPTORS)

    public init(
        program: OwnedDescriptor, arguments: [String], environment: [String] = [], descriptors: [OwnedDescriptor] = []
    ) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.descriptors = descriptors
    }

    /// Opens an executable for ``program``.
    public static func open(program path: String) throws(SystemError) -> OwnedDescriptor {
        let descriptor = try SystemError.check(
            "open \(path)", rk_open(AT_FDCWD, path, UInt64(RK_OPEN_PATH), 0, UInt64(RK_RESOLVE_NO_MAGIC_LINKS)))
        return OwnedDescriptor(owning: descriptor)
    }

    /// Starts the program: one `clone3` whose cost does not depend on this process's size. Returns once the program
    /// was executed; otherwise throws the stage that failed, and no process is left.
    public func start() throws(SpawnError) -> ChildProcess {
        let null: OwnedDescriptor
        do {
            null = OwnedDescriptor(
                owning: try SystemError.check("open /dev/null", rk_open(AT_FDCWD, "/dev/null", UInt64(O_RDWR), 0, 0)))
        } catch { throw SpawnError(stage: "open /dev/null", errno: error.errno) }
        let numbers = descriptors.map(\.number)
        let tasks = cgroup?.tasks.map(\.number) ?? []
        let arguments = CStringArray(arguments)
        let environment = CStringArray(environment)
        var what = rk_spawn()
        what.program = program.number
        what.standard = (
            (standardInput ?? null).number, (standardOutput ?? null).number, (standardError ?? null).number
        )
        what.namespaces = namespaces
        what.cgroup = cgroup?.directory?.number ?? -1
        what.directory = directory?.number ?? -1
        what.umask = umask ?? -1
        what.new_session = newSession
        if let user {
            what.set_ids = true
            what.uid = user.uid
            what.gid = user.gid
        }
        what.shed_privileges = shedsPrivileges
        var pidfd: Int32 = -1
        var failure = rk_spawn_failure()
        let pid = withExtendedLifetime((self, null)) {
            withUnsafePointers(numbers, tasks) { numbers, tasks in
                arguments.withPointers { argv in
                    environment.withPointers { envp in
                        what.argv = argv
                        what.envp = envp
                        what.descriptors = numbers.baseAddress
                        what.descriptor_count = numbers.count
                        what.tasks = tasks.baseAddress
                        what.task_count = tasks.count
                        return rk_spawn(&what, &pidfd, &failure)
                    }
                }
            }
        }
        guard pid > 0 else {
            throw SpawnError(stage: String(cString: rk_spawn_stage_name(failure.stage)), errno: failure.error)
        }
        return ChildProcess(pid: pid, pidfd: OwnedDescriptor(owning: pidfd))
    }
}

/// A program that was not started: the stage (`clone3`, `setresuid`, `exec`, …) and the errno.
public struct SpawnError: Error, Sendable, Hashable, CustomStringConvertible {
    public var stage: String
    public var errno: Int32

    public init(stage: String, errno: Int32) {
        self.stage = stage
        self.errno = errno
    }

    public var description: String { "\(stage): \(SystemError.reason(errno))" }
}

private func withUnsafePointers<Result>(
    _ first: [Int32], _ second: [Int32],
    _ body: (UnsafeBufferPointer<Int32>, UnsafeBufferPointer<Int32>) -> Result
) -> Result {
    first.withUnsafeBufferPointer { first in second.withUnsafeBufferPointer { second in body(first, second) } }
}

/// NULL-terminated array of C strings that live as long as the object.
private final class CStringArray {
    private let strings: [UnsafeMutablePointer<CChar>?]

    /// A string with a NUL inside ends at it, as everywhere in C.
    init(_ strings: [String]) { self.strings = strings.map { strdup($0) } + [nil] }

    deinit { strings.forEach { free($0) } }

    func withPointers<Result>(
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        strings.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("an array with at least one element") }
            return body(base)
        }
    }
}
