import CLinux
import Glibc

/// What one of our own programs keeps when it has set itself up. The rest it gives up for good, so that whoever takes it
/// over by what it parses gets little: no privileges, no new program, no files but its own, no kernel interface that it
/// does not use anyway.
public struct Confinement: Sendable {
    public var files: FileRules
    public var ports: PortRules
    /// It may open pidfds, to learn of the end of processes that are not its children. Neither signals nor descriptors of
    /// others can be had by them: those calls stay refused.
    public var watchesProcesses: Bool

    public init(files: FileRules, ports: PortRules, watchesProcesses: Bool = false) {
        self.files = files
        self.ports = ports
        self.watchesProcesses = watchesProcesses
    }

    /// Confines this process. To be called while it has one thread: what follows is a thread's own and is inherited by
    /// those that it starts.
    ///
    /// - Returns: what the kernel here could not do, for the log.
    /// - Throws: ``ConfinementError``; the process must then end.
    public func apply() throws(ConfinementError) -> [String] {
        let threads = Self.threads()
        guard threads == 1 else {
            throw ConfinementError(
                step: "threads", errno: EBUSY,
                message: "the process has \(threads) threads already, and some of them would stay as they are")
        }
        try Self.check("privileges", rk_seal_process())
        let missing = try LandlockRuleset.restrict(files: files, ports: ports)
        // Last: from here on nothing of the above can be called.
        try ProcessFilter(watchesProcesses: watchesProcesses).load()
        return missing
    }

    /// Empties the bounding set and locks the securebits, for a process that is root still and about to become somebody
    /// else. From then on no program that it might start gets a privilege.
    public static func shedPrivileges() throws(ConfinementError) { try check("bounding set", rk_shed_privileges()) }

    /// Threads of this process that have not ended; 0 when /proc does not say.
    private static func threads() -> Int {
        guard let directory = opendir("/proc/self/task") else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while let entry = readdir(directory) {
            if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
        }
        return count
    }

    private static func check(_ step: String, _ result: Int32) throws(ConfinementError) {
        guard result >= 0 else { throw ConfinementError(step: step, errno: -result, message: "") }
    }
}

/// Why a process could not be confined.
public struct ConfinementError: Error, Sendable, CustomStringConvertible {
    /// The part, such as `landlock`.
    public var step: String
    public var errno: Int32
    public var message: String

    public var description: String {
        let reason = strerror(errno).map { String(cString: $0) } ?? "unknown error"
        return "cannot confine itself: \(step): " + (message.isEmpty ? "" : "\(message): ")
            + "\(reason) (errno \(errno)); --no-confinement runs without, for finding out why"
    }
}
