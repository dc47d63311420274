import Policy

extension SandboxLaunch {
    /// Every namespace, id map, mount, step and filter, for a person to read.
    var explanation: String {
        var text = "namespaces: user, mount, pid, ipc, uts, cgroup, time"
        text += specification.rules.network == .host ? "; the network is the host's\n" : ", network\n"
        switch specification.identity {
        case .range(let base):
            text += "ids: 0 to 65535 inside are \(base) to \(base + 65535) on the host; the command is 1000\n"
            text += "ids of the image: the host's 0 is 0, all others are nobody\n"
        case .caller: text += "ids: \(SubordinateIDs.explanation)\n"
        }
        if let image = specification.image {
            text += "source 0: the image \(image.name), \(image.digest), for its directories, read-only\n"
        }
        if case .prepared(let layout) = image {
            text += "source 0: one tree, made beforehand and read-only, no setuid, no devices:\n"
            let programs = layout.coversLocalPrograms ? layout.host.localPrograms : []
            for entry in layout.host.entries + programs { text += "  \(entry.explanation)\n" }
        }
        for (index, source) in sources.enumerated() {
            let slot = PlanComposer.imageSlots(of: image) + index
            text +=
                "source \(slot): \(source.source.path) for \(source.source.place)\(source.source.attributes.explanation)"
            text += (source.source.owner.map { ", owner \($0.uid):\($0.gid) is the command" } ?? "") + "\n"
        }
        return text + plan().explanation + SeccompProfile.explanation(specification.rules.seccomp)
    }
}

extension HostImage.Entry {
    fileprivate var explanation: String {
        switch self {
        case .directory(let path): "\(path) with all mounts in it"
        case .file(let path): path
        case .link(let path, let target): "\(path), a link to \(target)"
        }
    }
}
