import Dialects
import Foundation
import SessionCore

/// What a device knows itself by: kept where only its user reads it.
struct DeviceFile: Codable, Equatable {
    var server: String
    var id: Int64
    var name: String
    /// The key of its signatures, 32 bytes.
    var secret: Data

    /// `$XDG_CONFIG_HOME/rookery/device.json`.
    static func path(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> String {
        let home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory()
        let configured = environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        return (configured ?? home + "/.config") + "/rookery/device.json"
    }

    static func read(at path: String) throws(Failure) -> DeviceFile {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .usage(
                "this device is not enrolled: 'rookery device pair' where you are logged in gives a code for "
                    + "'rookery device enrol' here")
        }
        guard let file = try? JSONDecoder().decode(DeviceFile.self, from: data), file.secret.count == 32 else {
            throw .usage("\(path) is not a device's file; enrol this device again")
        }
        return file
    }

    func write(to path: String) throws(Failure) {
        do {
            let directory = (path as NSString).deletingLastPathComponent
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let temporary = path + ".new"
            try? FileManager.default.removeItem(atPath: temporary)
            guard
                FileManager.default.createFile(
                    atPath: temporary, contents: try JSONEncoder().encode(self),
                    attributes: [.posixPermissions: 0o600])
            else { throw CocoaError(.fileWriteUnknown) }
            guard rename(temporary, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
        } catch {
            throw .refused("\(path) cannot be written: \(error.localizedDescription)")
        }
    }
}

extension DeviceFile {
    /// The message that proves which device this is, good once.
    func authentication(of session: [String: JSONValue]) -> JSONValue {
        let time = Int64(Date().timeIntervalSince1970 * 1000)
        let nonce = UUID().uuidString
        let signature = ClaudeRemoteProof.sign("\(time).\(nonce).", secret: secret)
        let members: [String: JSONValue] = [
            "type": "auth", "device": .integer(id), "timestamp": .integer(time), "nonce": .string(nonce),
            "signature": .string(signature.base64EncodedString()),
        ]
        return .object(members.merging(session) { own, _ in own })
    }
}
