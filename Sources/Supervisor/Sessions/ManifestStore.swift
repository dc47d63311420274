import Foundation
import Glibc
import Registry
import SessionCore

/// `<state>/manifests/<id>.json`: each session as the registry has it, so that a lost registry can be rebuilt. The
/// sessions' own directories belong to the launcher; these are the supervisor's.
struct ManifestStore: Sendable {
    let directory: String

    init(stateDirectory: String) throws(SupervisorError) {
        directory = "\(stateDirectory)/manifests"
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw SupervisorError(.storage, "\(directory) cannot be made: \(error.localizedDescription)")
        }
    }

    func path(_ id: SessionID) -> String { "\(directory)/\(id).json" }

    /// Replaces the manifest in one step: a reader sees the old one or the new one. Mode 0600, for it holds the
    /// session's environment.
    func write(_ record: SessionRecord) throws {
        let temporary = "\(path(record.id)).new"
        let data = try JSONEncoder.rookery.encode(record)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        defer { close(descriptor) }
        let written = data.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard written == data.count, rename(temporary, path(record.id)) == 0 else {
            let code = POSIXErrorCode(rawValue: errno) ?? .ENOSPC
            unlink(temporary)
            throw POSIXError(code)
        }
    }

    func remove(_ id: SessionID) { unlink(path(id)) }
}
