import Glibc
import Policy

extension SandboxSpecification {
    /// Refuses what cannot work or could be read in two ways, before anything is started.
    func checked() throws(SandboxError) -> SandboxSpecification {
        for (name, path) in [("workspace", workspace), ("home", home)] {
            guard path.hasPrefix("/"), !path.hasSuffix("/") else {
                throw invalid("\(name) is '\(path)', not an absolute path")
            }
        }
        guard !arguments.isEmpty, arguments[0].hasPrefix("/") else {
            throw invalid("the command must begin with an absolute path inside the sandbox")
        }
        let nameCharacters = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
        guard (1...63).contains(hostname.count), hostname.allSatisfy(nameCharacters.contains) else {
            throw invalid("the host name '\(hostname)' must be 1 to 63 letters, digits and hyphens")
        }
        for name in environment.keys where name.isEmpty || name.contains("=") {
            throw invalid("'\(name)' is not the name of an environment variable")
        }
        if let fault = rules.fault {
            throw SandboxError(step: fault.key, errno: EINVAL, message: fault.problem, remedy: fault.remedy)
        }
        if rules.required.contains(Landlock.name), Landlock.version == 0 {
            throw SandboxError(
                step: "required landlock", errno: ENOSYS,
                message: "the policy requires Landlock, and this kernel has none",
                remedy: "boot with landlock in lsm=, or take landlock out of what the policy requires")
        }
        guard limits.pids > 0, limits.openFiles >= 64, limits.temporary.bytes >= 1 << 20 else {
            throw invalid("at least 1 process, 64 open files and 1MiB of temporary space are needed")
        }
        if case .range(let base) = identity, base < 65536 || base > UInt32.max - 65536 {
            throw invalid("the uid range at \(base) overlaps the host's own ids")
        }
        try checkImage()
        var resolved = self
        // Programs may be reached through links (an installed `claude` is one); a session's directories may not.
        resolved.startCommand = try real(startCommand, step: "start command")
        if let claudeBinary { resolved.claudeBinary = try real(claudeBinary, step: "claude binary") }
        return resolved
    }

    /// Fails closed: rules that name an image must not end up with another.
    private func checkImage() throws(SandboxError) {
        guard (rules.image == SessionPolicy.hostImage) == (image == nil), image.map({ $0.name == rules.image }) ?? true
        else {
            throw SandboxError(
                step: "image", errno: ENOENT, message: "the image '\(rules.image)' was not opened",
                remedy: "use 'host', or name the directory of images")
        }
        guard (rules.system == .overlay) == (overlay != nil) else {
            throw SandboxError(
                step: "overlay", errno: EINVAL, message: "the rules say '\(rules.system.rawValue)' for the system",
                remedy: "correct the request")
        }
        guard identity == .caller else { return }
        if image != nil {
            throw SandboxError(
                step: "image", errno: EPERM,
                message: "a user namespace cannot mount the image '\(rules.image)': squashfs is for root alone",
                remedy: "use the image 'host' here, or run the launcher as root")
        }
        if overlay != nil {
            throw SandboxError(
                step: "overlay", errno: EPERM,
                message: "the only user of a rootless sandbox owns nothing of the system directories",
                remedy: "write 'system: read-only' in the policy, or run the launcher as root")
        }
    }

    private func invalid(_ message: String) -> SandboxError {
        SandboxError(step: "specification", errno: EINVAL, message: message, remedy: "correct the request")
    }

    private func real(_ path: String, step: String) throws(SandboxError) -> String {
        do {
            return try HostPath.resolved(path)
        } catch {
            throw SandboxError(
                step: step, errno: error.errno, message: "\(path): \(error.reason)",
                remedy: Remedy.source(path, errno: error.errno))
        }
    }
}
