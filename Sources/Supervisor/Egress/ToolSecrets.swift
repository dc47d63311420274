import Foundation
import Policy

/// Values that the gateway adds to requests of tools, where neither user nor tenant has set one: files of a directory, each
/// with one value, that nobody else may read (`--tool-secrets`, or systemd's credentials). Read when they are used, so that
/// a new value holds at once.
public struct ToolSecrets: Sendable {
    private let directory: String

    public init(directory: String) { self.directory = directory }

    struct Unusable: Error, CustomStringConvertible {
        var description: String
    }

    /// - Returns: nil where there is no such file.
    /// - Throws: when others may read it, or it cannot be a header's value. The text names no value.
    func value(of name: String) throws(Unusable) -> String? {
        guard SessionPolicy.isName(name) else { throw Unusable(description: "'\(name)' is no secret's name") }
        let path = "\(directory)/\(name)"
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Unusable(description: "\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 == 0 else {
            throw Unusable(description: "\(path) is no file, or others may read it: chmod 600 it")
        }
        var bytes = [UInt8](repeating: 0, count: ToolSecret.longest + 1)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0, count <= ToolSecret.longest else {
            throw Unusable(description: "\(path) is empty, or over \(ToolSecret.longest) bytes")
        }
        let text = String(decoding: bytes.prefix(count), as: UTF8.self).trimmingCharacters(in: .newlines)
        guard ToolSecret.isValue(text) else {
            throw Unusable(description: "\(path) must hold the header's value alone, on one line")
        }
        return text
    }
}
