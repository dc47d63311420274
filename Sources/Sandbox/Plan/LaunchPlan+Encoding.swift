extension LaunchPlan {
    /// The first field of an encoded plan.
    static let header = "rookery-plan 1"
    /// The most bytes that rookery-init reads.
    static let mostBytes = 512 * 1024

    /// NUL-terminated fields: the header, then each step's name and arguments. Throws when a text has a NUL in it or
    /// the whole is too large.
    public func encoded() throws(SandboxError) -> [UInt8] {
        var bytes = Array(Self.header.utf8) + [0]
        for step in steps {
            for field in step.fields {
                guard !field.utf8.contains(0) else {
                    throw SandboxError(
                        step: "plan", errno: 0, message: "a NUL byte in the text of step '\(step.fields[0])'",
                        remedy: "remove it from the path, argument or environment value")
                }
                bytes += field.utf8
                bytes.append(0)
            }
        }
        guard bytes.count <= Self.mostBytes else {
            throw SandboxError(
                step: "plan", errno: 0, message: "the launch plan has \(bytes.count) bytes, over \(Self.mostBytes)",
                remedy: "shorten the environment, the arguments or the managed settings")
        }
        return bytes
    }
}

extension LaunchPlan.Step {
    /// The step's name and its arguments, in the order of rookery-init's table.
    var fields: [String] {
        switch self {
        case .time: ["time"]
        case .identity(let root): ["identity", root ? "root" : "single"]
        case .makePrivate: ["private"]
        case .pin(let path, let device, let inode, let attributes, let recursive):
            ["pin", path, "\(device)", "\(inode)", "\(attributes.rawValue)", recursive ? "1" : "0"]
        case .clone(let path): ["clone", path]
        case .root(let over, let bytes, let inodes): ["root", over, "\(bytes)", "\(inodes)"]
        case .prepared(let slot, let over): ["prepared", over, "\(slot)"]
        case .directory(let path, let mode, let owner): ["directory", octal(mode), "\(owner.rawValue)", path]
        case .link(let path, let target): ["symlink", target, path]
        case .file(let path, let mode, let text): ["file", octal(mode), path, text]
        case .mount(let slot, let path, let place): ["mount", "\(slot)", path, place.rawValue]
        case .tmpfs(let path, let bytes, let inodes, let mode, let owner):
            ["tmpfs", path, "\(bytes)", "\(inodes)", octal(mode), "\(owner.rawValue)"]
        case .device(let name): ["device", name]
        case .terminal(let columns, let rows, let most): ["terminal", "\(columns)", "\(rows)", "\(most)"]
        case .proc: ["proc"]
        case .mask(let path, let directory): ["mask", path, directory ? "directory" : "file"]
        case .pivot: ["pivot"]
        case .readOnly(let path): ["read-only", path]
        case .overlay(let path, let lower, let upper, let work): ["overlay", path, lower, upper, work]
        case .detach(let path): ["detach", path]
        case .hostname(let name): ["hostname", name]
        case .network(let address, let port): ["network", address, "\(port)"]
        case .loopback: ["loopback"]
        case .keyring: ["keyring"]
        case .limit(let resource, let soft, let hard): ["limit", "\(resource.rawValue)", "\(soft)", "\(hard)"]
        case .privileges(let kept): ["privileges", "\(kept.mask)"]
        case .landlock(let access, let path): ["landlock", access.rawValue, path]
        case .argument(let text): ["argument", text]
        case .environment(let text): ["environment", text]
        case .workDirectory(let path): ["work-directory", path]
        case .streams: ["streams"]
        }
    }

    private func octal(_ mode: Int) -> String { String(mode, radix: 8) }
}
