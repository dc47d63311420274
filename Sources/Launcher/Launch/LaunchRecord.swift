import CLinux
import Foundation
import Glibc
import Sandbox
import SessionCore

/// What runs of a session, noted by the launcher so that its successor finds it too: with no cgroups there is nothing
/// else to find it by.
struct LaunchRecord: Codable, Sendable {
    var sandbox: ProcessNote
    var worker: ProcessNote
    /// Directories of the cgroup leaf by controller: a successor may be in another cgroup itself.
    var cgroups: [String: String]

    private static let largest = 64 * 1024

    static func fileName(_ id: SessionID) -> String { "\(id).json" }

    static func read(_ id: SessionID, in records: Directory) -> LaunchRecord? {
        guard let file = try? records.open(fileName(id), flags: O_RDONLY | O_NONBLOCK) else { return nil }
        let data = try? FileHandle(fileDescriptor: file.number, closeOnDealloc: false).read(upToCount: largest)
        return withExtendedLifetime(file) { data.flatMap { try? JSONDecoder().decode(LaunchRecord.self, from: $0) } }
    }

    /// Replaces the record in one step.
    func write(_ id: SessionID, in records: Directory) throws(SystemError) {
        guard let data = try? JSONEncoder().encode(self) else {
            throw SystemError(call: "encode the record", errno: EINVAL)
        }
        let temporary = ".\(id).new"
        let file = try records.open(temporary, flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        let written = data.withUnsafeBytes { Glibc.write(file.number, $0.baseAddress, $0.count) }
        guard written == data.count else {
            throw SystemError(call: "write \(records.path)/\(temporary)", errno: written < 0 ? errno : ENOSPC)
        }
        let directory = records.descriptor.number
        guard renameat(directory, temporary, directory, Self.fileName(id)) == 0 else {
            throw SystemError(call: "rename \(records.path)/\(temporary)", errno: errno)
        }
    }

    static func remove(_ id: SessionID, in records: Directory) {
        _ = unlinkat(records.descriptor.number, fileName(id), 0)
    }

    /// The sessions that have a record.
    static func sessions(in records: Directory) -> [SessionID] {
        ((try? records.names()) ?? []).compactMap {
            $0.hasSuffix(".json") ? SessionID(parsing: $0.dropLast(".json".count)) : nil
        }
    }
}

/// A process by pid and start time: a pid alone may be another's by now.
struct ProcessNote: Codable, Sendable, Hashable {
    var pid: Int32
    /// Clock ticks since the boot (proc_pid_stat(5), field 22).
    var startTime: UInt64

    init?(pid: Int32) {
        guard let startTime = Self.startTime(of: pid) else { return nil }
        self.pid = pid
        self.startTime = startTime
    }

    /// A pidfd of the process if it is still the same one.
    func open() -> OwnedDescriptor? {
        let number = rk_pidfd_open(pid)
        guard number >= 0 else { return nil }
        let descriptor = OwnedDescriptor(owning: number)
        // In this order: once the pidfd is open the pid cannot change hands unnoticed.
        return Self.startTime(of: pid) == startTime ? descriptor : nil
    }

    /// True while it runs; a zombie does not.
    var runs: Bool {
        guard let descriptor = open() else { return false }
        return withExtendedLifetime(descriptor) { rk_wait_readable(descriptor.number, 0) == 0 }
    }

    /// Kills it and waits for its end; false when it has not ended after `milliseconds`.
    func kill(within milliseconds: Int32) -> Bool {
        guard let descriptor = open() else { return true }
        return withExtendedLifetime(descriptor) {
            _ = rk_pidfd_send_signal(descriptor.number, SIGKILL)
            return rk_wait_readable(descriptor.number, milliseconds) == 1
        }
    }

    private static func startTime(of pid: Int32) -> UInt64? {
        let file = Glibc.open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 1024)
        let count = Glibc.read(file, &buffer, buffer.count)
        guard count > 0 else { return nil }
        // The name, in parentheses, may hold spaces and parentheses itself.
        let text = String(decoding: buffer[..<count], as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 19 ? UInt64(fields[19]) : nil
    }
}
