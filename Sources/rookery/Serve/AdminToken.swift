import Foundation
import Registry

/// The file with the admin's token: read if it is there, else made.
enum AdminToken {
    static func ensure(at path: String, in registry: SessionRegistry) async throws {
        let contents = FileManager.default.contents(atPath: path).map {
            String(decoding: $0.prefix(4096), as: UTF8.self)
        }
        if contents == nil, FileManager.default.fileExists(atPath: path) {
            throw ConfigurationError("the admin token file \(path) cannot be read by the supervisor's user")
        }
        let token = try await registry.ensureAdminToken(fileContents: contents)
        guard contents == nil else { return }
        let directory = (path as NSString).deletingLastPathComponent
        let temporary = "\(directory)/.admin-token-\(getpid())"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ConfigurationError("the admin token file \(path) cannot be made: \(String(cString: strerror(errno)))")
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try file.write(contentsOf: Data((token + "\n").utf8))
        try file.synchronize()
        guard rename(temporary, path) == 0 else {
            throw ConfigurationError("the admin token file \(path) cannot be made: \(String(cString: strerror(errno)))")
        }
    }
}
