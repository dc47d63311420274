import Foundation
import Policy

/// What the defaults of `rookery serve` depend on: who runs it, from where, on which box.
struct Surroundings {
    var isRoot: Bool
    var environment: [String: String]
    var currentDirectory: String
    var installation: Installation
    var directories: DefaultDirectories
    /// Memory of the box.
    var totalMemory: ByteSize
    var exists: (String) -> Bool

    static func current() -> Surroundings {
        let environment = ProcessInfo.processInfo.environment
        return Surroundings(
            isRoot: geteuid() == 0, environment: environment,
            currentDirectory: FileManager.default.currentDirectoryPath, installation: .current(),
            directories: DefaultDirectories(environment: environment),
            totalMemory: ByteSize(bytes: ProcessInfo.processInfo.physicalMemory),
            exists: { FileManager.default.fileExists(atPath: $0) })
    }

    func absolute(_ path: String) -> String {
        let joined = path.hasPrefix("/") ? path : currentDirectory + "/" + path
        return (joined as NSString).standardizingPath
    }

    func existing(_ path: String) -> String? { exists(path) ? path : nil }

    /// Where the Claude Code binary is, or, so that an error can name it, would be.
    var claudeBinary: String {
        installation.claude(environment) ?? (installation.root ?? installation.programs) + "/.deps/bin/claude"
    }

    /// What sessions may reserve together unless said otherwise: four times the box, since idle sessions use a
    /// tenth of their limit and each is held to it.
    var memory: ByteSize { ByteSize(bytes: totalMemory.bytes.multipliedReportingOverflow(by: 4).partialValue) }
}
