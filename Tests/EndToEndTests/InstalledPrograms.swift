import EndToEndSupport
import Foundation
import Glibc

/// A directory with the programs of this build, which a test may replace.
struct InstalledPrograms {
    let directory: String

    init() throws {
        // Within the checkout, where the start command and the page are found.
        directory = Programs.packageRoot.appending(path: ".build/installed-\(UUID().uuidString.prefix(8))").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for program in ["rookery", "rookery-launcher", "rookery-worker", "rookery-init"] { try replace(program) }
    }

    /// The same program in another file.
    func replace(_ program: String) throws {
        try replace(program, withFile: URL(fileURLWithPath: Programs.built(program)).resolvingSymlinksInPath().path)
    }

    func replace(_ program: String, withFile path: String) throws {
        unlink("\(directory)/\(program)")
        try FileManager.default.copyItem(atPath: path, toPath: "\(directory)/\(program)")
    }

    func replace(_ program: String, with script: String) throws {
        unlink("\(directory)/\(program)")
        try script.write(toFile: "\(directory)/\(program)", atomically: true, encoding: .utf8)
        chmod("\(directory)/\(program)", 0o755)
    }

    func shell() throws -> String {
        try replace("shell", with: "#!/bin/sh\nexec bash --norc --noediting\n")
        return "\(directory)/shell"
    }

    func remove() { try? FileManager.default.removeItem(atPath: directory) }
}
