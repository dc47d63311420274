import CLinux
import Glibc

/// The Landlock rules of a process, by what this kernel's version of Landlock knows (landlock(7)).
enum LandlockRuleset {
    /// The rights of `LANDLOCK_ACCESS_FS_*`.
    struct Rights: OptionSet, Sendable {
        let rawValue: UInt64
        static let execute = Rights(rawValue: 1 << 0)
        static let write = Rights(rawValue: 1 << 1)
        static let read = Rights(rawValue: 1 << 2)
        static let list = Rights(rawValue: 1 << 3)
        static let removeDirectory = Rights(rawValue: 1 << 4)
        static let remove = Rights(rawValue: 1 << 5)
        static let makeDirectory = Rights(rawValue: 1 << 7)
        static let makeFile = Rights(rawValue: 1 << 8)
        static let makeSocket = Rights(rawValue: 1 << 9)
        static let makeLink = Rights(rawValue: 1 << 12)
        static let moveAcross = Rights(rawValue: 1 << 13)
        static let truncate = Rights(rawValue: 1 << 14)

        static let reading: Rights = [.read, .list]
        static let writing: Rights = [
            .read, .list, .write, .remove, .removeDirectory, .makeDirectory, .makeFile, .makeSocket, .makeLink,
            .moveAcross, .truncate,
        ]
        /// Those that make sense for something that is not a directory; the kernel refuses the others there.
        static let ofFiles: Rights = [.execute, .write, .read, .truncate]
    }

    /// What one version of Landlock can refuse.
    struct Abilities: Equatable {
        var files: UInt64
        var ports: UInt64
        var scoped: UInt64
        /// What is missing from a kernel that knows everything we use, for the log.
        var missing: [String]

        static var here: Abilities { Abilities(version: rk_landlock_abi()) }

        /// - Parameter version: negative for a kernel without Landlock: `-errno`.
        init(version: Int32) {
            guard version > 0 else {
                let reason = String(cString: strerror(-version))
                (files, ports, scoped) = (0, 0, 0)
                missing = ["this kernel has no Landlock (\(reason)): modes alone hold files"]
                return
            }
            // Version 1 has 13 rights, 2 adds moving across directories, 3 truncation, 5 the ioctls of devices.
            let rights = version >= 5 ? 16 : version >= 3 ? 15 : version >= 2 ? 14 : 13
            files = (1 << UInt64(rights)) - 1
            ports = version >= 4 ? listening | connecting : 0
            scoped = version >= 6 ? 3 : 0
            missing = [
                version < 3 ? "truncating files" : nil, version < 4 ? "TCP ports" : nil,
                version < 6 ? "abstract sockets and signals" : nil,
            ].compactMap { $0 }.map { "Landlock version \(version) does not cover \($0)" }
        }
    }

    private static let listening: UInt64 = 1
    private static let connecting: UInt64 = 2

    /// Returns what could not be restricted here.
    static func restrict(files: FileRules, ports: PortRules) throws(ConfinementError) -> [String] {
        let abilities = Abilities.here
        guard abilities.files != 0 else { return abilities.missing }
        let refusedPorts = ports.connects ? abilities.ports & listening : abilities.ports
        let ruleset = rk_landlock_ruleset(abilities.files, refusedPorts, abilities.scoped)
        guard ruleset >= 0 else { throw ConfinementError(step: "landlock", errno: -ruleset, message: "ruleset") }
        defer { close(ruleset) }
        for path in files.readable { try allow(.reading, path, in: ruleset, abilities) }
        try allow([.read, .write], "/dev/null", in: ruleset, abilities)
        for path in files.writable { try allow(.writing, path, in: ruleset, abilities) }
        for descriptor in files.writableDescriptors {
            try allow(.writing, descriptor: descriptor, name: "descriptor \(descriptor)", in: ruleset, abilities)
        }
        for port in ports.listen where refusedPorts & listening != 0 {
            let result = rk_landlock_allow_port(ruleset, port, listening)
            guard result >= 0 else { throw ConfinementError(step: "landlock", errno: -result, message: "port \(port)") }
        }
        let result = rk_landlock_restrict(ruleset)
        guard result >= 0 else { throw ConfinementError(step: "landlock", errno: -result, message: "restriction") }
        return abilities.missing
    }

    private static func allow(
        _ rights: Rights, _ path: String, in ruleset: Int32, _ abilities: Abilities
    ) throws(ConfinementError) {
        let descriptor = rk_open(AT_FDCWD, path, UInt64(RK_OPEN_PATH), 0, 0)
        // What is not there, or may not be reached, needs no rule.
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        try allow(rights, descriptor: descriptor, name: path, in: ruleset, abilities)
    }

    private static func allow(
        _ rights: Rights, descriptor: Int32, name: String, in ruleset: Int32, _ abilities: Abilities
    ) throws(ConfinementError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw ConfinementError(step: "landlock", errno: errno, message: name)
        }
        let fitting = status.st_mode & S_IFMT == S_IFDIR ? rights : rights.intersection(.ofFiles)
        let result = rk_landlock_allow_path(ruleset, descriptor, fitting.rawValue & abilities.files)
        guard result >= 0 else { throw ConfinementError(step: "landlock", errno: -result, message: name) }
    }
}
