extension LaunchPlan {
    /// The plan for a person to read, a line a step. Values of the environment are left out: they may be secret.
    public var explanation: String {
        steps.map { $0.explanation + "\n" }.joined()
    }
}

extension LaunchPlan.Step {
    var explanation: String {
        switch self {
        case .time: "start the clocks since boot at 0 (time namespace)"
        case .identity(let root): root ? "become uid 0 and gid 0 of the namespace" : "stay the only mapped user"
        case .makePrivate: "keep every mount change to this namespace"
        case .pin(let path, _, _, let attributes, let recursive):
            "pin \(path)\(recursive ? " and all mounts below it" : "")\(attributes.explanation)"
        case .clone(let path): "pin \(path) as seen inside"
        case .root(_, let bytes, let inodes): "make a root of at most \(bytes) bytes and \(inodes) files"
        case .prepared(let slot, _): "take source \(slot) as the root"
        case .directory(let path, let mode, let owner):
            "make \(path), mode \(String(mode, radix: 8)), owned by \(owner)"
        case .link(let path, let target): "link \(path) to \(target)"
        case .file(let path, _, let text): "write \(path), \(text.utf8.count) bytes"
        case .mount(let slot, let path, _): "mount source \(slot) on \(path)"
        case .tmpfs(let path, let bytes, let inodes, _, let owner):
            "mount memory on \(path), at most \(bytes) bytes and \(inodes) files, owned by \(owner)"
        case .device(let name): "show /dev/\(name)"
        case .terminal(let columns, let rows, let most):
            "open a terminal of \(columns) columns and \(rows) rows; at most \(most) in all"
        case .proc: "mount /proc, read-only, others' processes hidden"
        case .mask(let path, _): "cover \(path)"
        case .pivot: "leave the host's files behind"
        case .readOnly(let path): "make \(path) read-only"
        case .overlay(let path, let lower, let upper, _): "mount \(lower) on \(path), changes going to \(upper)"
        case .detach(let path): "take \(path) away"
        case .hostname(let name): "call this host \(name)"
        case .network(let address, let port): "raise the loopback and listen on \(address):\(port)"
        case .loopback: "raise the loopback"
        case .keyring: "start an empty session keyring"
        case .limit(let resource, let soft, let hard): "limit \(resource) to \(soft), at most \(hard)"
        case .privileges(let kept):
            kept.names.isEmpty
                ? "give up every privilege for good"
                : "give up every privilege for good, but \(kept.names.joined(separator: ", ")) in the own user namespace"
        case .landlock(let access, let path): "Landlock: \(access.rawValue) \(path)"
        case .argument(let text): "argument \(text)"
        case .environment(let text): "environment \(text.prefix { $0 != "=" })"
        case .workDirectory(let path): "start in \(path)"
        case .streams: "use the caller's standard streams"
        }
    }
}

extension MountAttributes {
    var explanation: String {
        [(MountAttributes.readOnly, ", read-only"), (.noSetuid, ", no setuid"), (.noDevices, ", no devices")]
            .filter { contains($0.0) }.map(\.1).joined()
    }
}
