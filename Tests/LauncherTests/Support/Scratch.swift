import CLinux
import Foundation
import Glibc

/// A short-lived directory tree with what a launcher needs: `state`, `run`, `libexec`, `bin`.
final class Scratch: Sendable {
    let path: String

    init(owner: UInt32 = geteuid()) throws {
        path = "/tmp/rkl-" + String(UInt32.random(in: .min ... .max), radix: 36)
        for part in ["", "/state", "/run", "/libexec", "/bin"] {
            guard mkdir(path + part, 0o755) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
            chmod(path + part, part == "/run" || part == "/state" ? 0o700 : 0o755)
            if owner != geteuid(), part == "/run" || part == "/state" { chown(path + part, owner, owner) }
        }
    }

    /// Removes the tree; what a failing test left mounted or running would show here.
    func remove() { try? FileManager.default.removeItem(atPath: path) }

    /// Writes an executable script and returns its path.
    @discardableResult
    func script(_ name: String, _ text: String, mode: mode_t = 0o755) throws -> String {
        let file = "\(path)/bin/\(name)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        chmod(file, mode)
        return file
    }

    /// Puts a built program of the package, or another file, where the launcher looks for it.
    func install(_ source: String, as name: String) throws {
        let file = "\(path)/libexec/\(name)"
        unlink(file)
        if link(source, file) != 0 { try FileManager.default.copyItem(atPath: source, toPath: file) }
    }

    /// Puts the shipped policies where every user may read them.
    func installPolicies() throws {
        let package = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../..").standardized
        try FileManager.default.copyItem(atPath: "\(package.path)/Policies", toPath: "\(path)/Policies")
        chmod("\(path)/Policies", 0o755)
        for file in try FileManager.default.contentsOfDirectory(atPath: "\(path)/Policies") {
            chmod("\(path)/Policies/\(file)", 0o644)
        }
    }

    func exists(_ part: String) -> Bool { access("\(path)/\(part)", F_OK) == 0 }

    func text(_ part: String) -> String? { try? String(contentsOfFile: "\(path)/\(part)", encoding: .utf8) }

    func status(_ part: String) -> stat? {
        var status = stat()
        return lstat("\(path)/\(part)", &status) == 0 ? status : nil
    }
}

enum Products {
    /// Where the programs of this build are: next to the test bundle.
    static let directory: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        var directory = URL(fileURLWithPath: own).deletingLastPathComponent()
        // Swift Testing's helper is the toolchain's; its argument is the bundle.
        if access(directory.appendingPathComponent("rookery-launcher").path, X_OK) != 0,
            let bundle = CommandLine.arguments.first(where: { $0.hasSuffix(".xctest") })
        {
            directory = URL(fileURLWithPath: bundle).deletingLastPathComponent()
        }
        return directory.path
    }()

    static func path(_ name: String) -> String { "\(directory)/\(name)" }
}

/// Asks until the answer is yes; false when it is not after `seconds`.
func eventually(within seconds: Int = 20, _ condition: () -> Bool) async -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(20))
    }
    return condition()
}

/// True while a process is there and no zombie.
func runs(_ pid: Int32) -> Bool {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
        let end = text.lastIndex(of: ")")
    else { return false }
    return text[text.index(after: end)...].split(separator: " ").first != "Z"
}
