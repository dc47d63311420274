import Foundation
import Registry

/// One life of a program that runs elsewhere, beside the journal of its session: the numbers of its records, and so of the
/// events that follow from them, are its own.
struct RemoteRun: Codable, Equatable {
    /// As the program's side calls it; empty where it does not.
    var name = ""
    /// The last number of the life before.
    var base: UInt64 = 0
    /// The session's incarnation.
    var incarnation = 1

    private static func path(_ directory: String) -> String { "\(directory)/run.json" }

    /// The last one; nil where there was none.
    static func last(in directory: String) throws -> RemoteRun? {
        guard FileManager.default.fileExists(atPath: path(directory)) else { return nil }
        return try JSONDecoder().decode(
            RemoteRun.self, from: Data(contentsOf: URL(fileURLWithPath: path(directory))))
    }

    /// Durable when it returns.
    func write(to directory: String) throws {
        try DurableFile.write(JSONEncoder().encode(self), to: Self.path(directory))
    }
}
