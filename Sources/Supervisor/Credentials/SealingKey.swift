import Crypto
public import Foundation
import Glibc
import Registry

/// Seals credentials for the registry, so that a stolen database or backup has none. AES-GCM with 256 bits; what is sealed
/// for one owner opens for no other.
public struct SealingKey: Sendable {
    /// The key's file cannot be used.
    public struct Fault: Error, Sendable, CustomStringConvertible {
        public var description: String
    }

    private let key: SymmetricKey

    public init(_ bytes: some ContiguousBytes) { key = SymmetricKey(data: bytes) }

    /// Reads the key, and makes one where there is none.
    ///
    /// - Parameter mayMake: false where somebody else brings the file, as systemd does.
    /// - Throws: ``Fault`` for a file that others may read, or that holds no key.
    public init(file path: String, mayMake: Bool) throws(Fault) {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0 {
            guard errno == ENOENT, mayMake else {
                throw Fault(
                    description: "the credentials' key \(path) cannot be read: \(String(cString: strerror(errno)))")
            }
            try self.init(making: path)
            return
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Fault(description: "the credentials' key \(path) is not a file")
        }
        // systemd lets the service's user read by an ACL, which shows as the group's bit; it guards the directory.
        guard status.st_mode & (mayMake ? 0o077 : 0o037) == 0 else {
            throw Fault(
                description: "the credentials' key \(path) can be read by others: 'chmod 600' it, and change the "
                    + "credentials if somebody did")
        }
        var text = [UInt8](repeating: 0, count: 256)
        let count = read(descriptor, &text, text.count)
        let trimmed = String(decoding: text.prefix(max(0, count)), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        guard let bytes = Data(base64Encoded: trimmed), bytes.count == 32 else {
            throw Fault(description: "the credentials' key \(path) does not hold 32 bytes in base64")
        }
        self.init(bytes)
    }

    private init(making path: String) throws(Fault) {
        let key = SymmetricKey(size: .bits256)
        let text = key.withUnsafeBytes { Data($0).base64EncodedString() } + "\n"
        // On disk before anything is sealed with it.
        do { try DurableFile.write(Data(text.utf8), to: path) } catch {
            throw Fault(description: "the credentials' key cannot be made: \(error)")
        }
        self.init(key.withUnsafeBytes { Data($0) })
    }

    func seal(_ secret: Data, for owner: String) throws -> Data {
        guard let sealed = try AES.GCM.seal(secret, using: key, authenticating: Data(owner.utf8)).combined else {
            throw Fault(description: "a credential cannot be sealed")
        }
        return sealed
    }

    /// nil: sealed with another key, for somebody else, or changed since.
    func open(_ sealed: Data, for owner: String) -> Data? {
        guard let box = try? AES.GCM.SealedBox(combined: sealed) else { return nil }
        return try? AES.GCM.open(box, using: key, authenticating: Data(owner.utf8))
    }
}
