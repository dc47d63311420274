import Foundation
import Glibc
import Sandbox

// Small JSON files that a launcher leaves to the next.

extension Directory {
    /// nil where there is none that can be read.
    /// - Parameter largest: bytes of it that count.
    func record<Record: Decodable>(_ name: String, largest: Int) -> Record? {
        guard let file = try? open(name, flags: O_RDONLY | O_NONBLOCK) else { return nil }
        let data = try? FileHandle(fileDescriptor: file.number, closeOnDealloc: false).read(upToCount: largest)
        return withExtendedLifetime(file) { data.flatMap { try? JSONDecoder().decode(Record.self, from: $0) } }
    }
}

extension Draft {
    /// Replaces the file of that name by the record in one step.
    func publish(_ record: some Encodable, as final: String) throws(SystemError) {
        guard let data = try? JSONEncoder().encode(record) else {
            throw SystemError(call: "encode the record", errno: EINVAL)
        }
        let file = try open(flags: O_WRONLY | O_TRUNC)
        let written = data.withUnsafeBytes { Glibc.write(file.number, $0.baseAddress, $0.count) }
        guard written == data.count else {
            throw SystemError(call: "write \(path)", errno: written < 0 ? errno : ENOSPC)
        }
        try publish(as: final)
    }
}
