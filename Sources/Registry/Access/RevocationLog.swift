import Foundation
import Glibc

/// `<state>/revoked-tokens`: the public ids of revoked tokens and share links, one a line, so that a registry from a backup does not let
/// one in that was revoked after the backup was made.
struct RevocationLog: Sendable {
    let path: String

    init(directory: String) { path = "\(directory)/revoked-tokens" }

    /// Durable when it returns; called before the registry is told.
    func add(_ publicID: String) throws(RegistryError) {
        do { try DurableFile.append(Data("\(publicID)\n".utf8), to: path) } catch { throw .storage("\(error)") }
    }

    /// A line that a power cut tore is of no token.
    func all() -> Set<String> {
        guard let data = FileManager.default.contents(atPath: path) else { return [] }
        return Set(
            String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init).filter { $0.count == 12 })
    }
}
