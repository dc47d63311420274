import CLinux
import Glibc
import Policy
import Sandbox
import SessionCore
import WorkerControl

/// A launch request of which every field was checked. Nothing was touched yet.
struct CheckedLaunch: Sendable {
    let request: LaunchRequest
    /// nil when rootless.
    let range: UIDRange?

    init(_ request: LaunchRequest, rootless: Bool) throws(LaunchFailure) {
        self.request = request
        if rootless {
            range = nil
        } else {
            guard let range = UIDRange(slot: request.uidSlot) else {
                throw Self.refused(
                    "uid_slot", "\(request.uidSlot) is not a uid range",
                    "slots are \(UIDRange.slots.lowerBound) to \(UIDRange.slots.upperBound - 1)")
            }
            self.range = range
        }
        guard request.incarnation >= 0, request.incarnation <= Int(Int32.max) else {
            throw Self.refused("incarnation", "\(request.incarnation) is out of bounds", "count from 0")
        }
        guard request.firstSequence <= UInt64(Int64.max) else {
            throw Self.refused("first_sequence", "\(request.firstSequence) is out of bounds", "use a 63-bit number")
        }
        guard PolicyBounds.logBytes.contains(ByteSize(bytes: UInt64(max(request.logBytes, 0)))) else {
            throw Self.refused(
                "log_bytes", "\(request.logBytes) is out of bounds",
                "allowed is \(PolicyBounds.logBytes.lowerBound) to \(PolicyBounds.logBytes.upperBound)")
        }
        if let journal = request.journal {
            guard PolicyBounds.journalBytes.contains(journal.bytes),
                journal.age.map(PolicyBounds.journalAge.contains) ?? true
            else {
                throw Self.refused(
                    "journal", "\(journal.bytes), \(journal.age.map { "\($0)" } ?? "none") is out of bounds",
                    "allowed is \(PolicyBounds.journalBytes.lowerBound) to \(PolicyBounds.journalBytes.upperBound)")
            }
        }
        if let fault = request.rules.fault { throw Self.refused(fault.key, fault.problem, fault.remedy) }
        if let settings = request.managedSettings {
            guard settings.utf8.count <= Self.largestSettings, !settings.utf8.contains(0) else {
                throw Self.refused(
                    "managed_settings", "the settings have \(settings.utf8.count) bytes, or a NUL in them",
                    "keep them below \(Self.largestSettings) bytes of JSON")
            }
        }
        guard PolicyBounds.cols.contains(request.size.cols), PolicyBounds.rows.contains(request.size.rows) else {
            throw Self.refused(
                "size", "\(request.size.cols) by \(request.size.rows) is out of bounds", "use at most 500 by 300")
        }
        if let problem = EnvironmentRules.problem(in: request.environment) {
            throw Self.refused("environment", problem, "correct the session's environment")
        }
        guard request.filesOf != request.sessionID else {
            throw Self.refused("files_of", "a session cannot begin with a copy of itself", "name another session")
        }
        guard request.isSpare != true || (request.kind == .structured && request.filesOf == nil) else {
            throw Self.refused(
                "is_spare", "only a structured session without another's files can wait for its session",
                "start it when the session is there")
        }
        let arguments = request.arguments ?? []
        guard arguments.count <= 64, arguments.allSatisfy({ $0.utf8.count <= 4096 && !$0.utf8.contains(0) }) else {
            throw Self.refused(
                "arguments", "they are too many, too long or hold a NUL", "give at most 64, of 4096 bytes each")
        }
        let sockets = [("gateway_socket", request.gatewaySocket), ("egress_socket", request.egressSocket)]
        for case (let key, let path?) in sockets where !Self.isPlainPath(path) || path.utf8.count > 107 {
            throw Self.refused(
                key, "'\(path.prefix(120))' is not the path of a socket",
                "give an absolute path of at most 107 bytes without '..'")
        }
        try Self.checkProgram(request.startCommand, key: "start_command", others: !rootless)
        if let claude = request.claudeBinary { try Self.checkProgram(claude, key: "claude_binary", others: !rootless) }
    }

    /// Bytes of managed settings.
    static let largestSettings = 64 * 1024

    /// Absolute, bounded, nothing in it that climbs or ends a line.
    static func isPlainPath(_ path: String) -> Bool {
        path.hasPrefix("/") && path.utf8.count < 4096 && path.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
            && !path.split(separator: "/").contains("..")
    }

    /// A regular file that may be executed. With `others`, by a uid that is neither its owner's nor of its group: in
    /// root mode the session has such a uid.
    static func checkProgram(_ path: String, key: String, others: Bool) throws(LaunchFailure) {
        guard isPlainPath(path) else {
            throw refused(
                key, "'\(path.prefix(200))' is not an absolute path without '..'", "give the program's absolute path")
        }
        let descriptor = rk_open(AT_FDCWD, path, UInt64(RK_OPEN_PATH), 0, UInt64(RK_RESOLVE_NO_MAGIC_LINKS))
        guard descriptor >= 0 else {
            throw refused(
                key, "\(path): \(SystemError.reason(-descriptor))", "install the program, or name another",
                errno: -descriptor)
        }
        defer { close(descriptor) }
        var identity = rk_identity()
        guard rk_identify(descriptor, &identity) == 0, identity.mode & S_IFMT == S_IFREG else {
            throw refused(key, "\(path) is not a regular file", "name a program", errno: EACCES)
        }
        let wanted: UInt32 = others ? 0o001 : 0o111
        guard identity.mode & wanted != 0 else {
            throw refused(key, "\(path) is not executable by the session", "chmod 0755 '\(path)'", errno: EACCES)
        }
    }

    private static func refused(
        _ key: String, _ problem: String, _ remedy: String, errno code: Int32 = EINVAL
    ) -> LaunchFailure {
        LaunchFailure(step: "check \(key)", errno: code, message: problem, remedy: remedy)
    }
}
