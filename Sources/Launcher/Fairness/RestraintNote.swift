import Foundation
import Glibc
import Sandbox

/// What of sessions is restrained, noted before it is done: a launcher that is killed meanwhile has a successor that takes
/// it back, and can tell it from what a policy says.
struct RestraintNote: Codable, Equatable {
    /// Names of leaves that are kept to half of the processors.
    var kept: Set<String> = []
    /// Names of those whose disk takes little at a time.
    var slowed: Set<String> = []

    private static let name = "restraint"
    private static let fileName = "restraint.note"
    private static let largest = 4 << 20

    static func read(in records: Directory) -> RestraintNote {
        guard let file = try? records.open(fileName, flags: O_RDONLY | O_NONBLOCK) else { return RestraintNote() }
        let data = try? FileHandle(fileDescriptor: file.number, closeOnDealloc: false).read(upToCount: largest)
        return withExtendedLifetime(file) {
            data.flatMap { try? JSONDecoder().decode(RestraintNote.self, from: $0) } ?? RestraintNote()
        }
    }

    /// In one step.
    /// - Returns: false: it is not written, and what it says must not be done.
    func write(in records: Directory) -> Bool {
        let draft = Draft(of: Self.name, in: records)
        guard let data = try? JSONEncoder().encode(self), let file = try? draft.open(flags: O_WRONLY | O_TRUNC) else {
            return false
        }
        let written = withExtendedLifetime(file) {
            data.withUnsafeBytes { Glibc.write(file.number, $0.baseAddress, $0.count) }
        }
        return written == data.count && (try? draft.publish(as: Self.fileName)) != nil
    }
}
