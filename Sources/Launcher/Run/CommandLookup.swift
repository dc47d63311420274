import Glibc
import Policy
import Sandbox
import WorkerControl

/// Finds a command as a shell inside would. The host image has the host's programs at the host's places.
struct CommandLookup {
    /// nil: the host's.
    let image: BuiltImage?

    /// The PATH inside.
    static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// The arguments with the program's absolute path first. A name with a slash is taken from the workspace.
    func resolve(_ command: [String]) throws(LaunchFailure) -> [String] {
        guard let name = command.first, !name.isEmpty else { throw notFound("") }
        if name.hasPrefix("/") { return command }
        if name.contains("/") { return ["\(SandboxLayout.workspace)/\(name)"] + command.dropFirst() }
        if name == "claude" { return [SandboxLayout.claude] + command.dropFirst() }
        for directory in Self.path.split(separator: ":") where isProgram("\(directory)/\(name)") {
            return ["\(directory)/\(name)"] + command.dropFirst()
        }
        throw notFound(name)
    }

    private func isProgram(_ path: String) -> Bool {
        guard let image else { return access(path, X_OK) == 0 }
        return ImageLayout.has(path, in: image.mount)
    }

    private func notFound(_ name: String) -> LaunchFailure {
        if let image {
            return LaunchFailure(
                step: "exec", errno: ENOENT, message: "\(name): command not found",
                remedy:
                    "the image '\(image.name)' does not have it: add its package to the recipe, or use another image")
        }
        return LaunchFailure(
            step: "exec", errno: ENOENT, message: "\(name): command not found",
            remedy: "what is inside is the host's /usr and /bin: install it there, or give a path in the workspace")
    }
}
