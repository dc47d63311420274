import Glibc

/// The devices of the host that a sandbox shows.
enum Devices {
    /// What every sandbox has.
    static let standard = ["null", "zero", "full", "random", "urandom", "tty"]

    /// Links beside them, and where they lead.
    static let links = [("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")]

    /// A policy's devices as names below /dev. Which of them may be shown is checked before (``SandboxRules/fault``);
    /// here, that this host has them. Throws otherwise.
    static func checked(_ paths: [String]) throws(SandboxError) -> [String] {
        var names: [String] = []
        for path in paths {
            let name = String(path.dropFirst("/dev/".count))
            guard path.hasPrefix("/dev/"), name.utf8.count <= 32, name.split(separator: "/").count <= 2 else {
                throw refused(path, "is not below /dev, in one directory at most", "name such as /dev/kvm")
            }
            if standard.contains(name) { continue }
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFCHR else {
                throw refused(path, "is not a character device of this host", "load its driver, or leave it out")
            }
            names.append(name)
        }
        return names
    }

    private static func refused(_ device: String, _ problem: String, _ remedy: String) -> SandboxError {
        SandboxError(step: "devices", errno: 0, message: "'\(device.prefix(64))' \(problem)", remedy: remedy)
    }
}
