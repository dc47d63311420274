import CLinux
import Foundation

/// Whether sessions have somewhere to live.
enum StateChecks {
    /// - Parameter serviceUser: whose directory it must be; nil for whoever runs this.
    static func all(_ directory: String, serviceUser: String?) -> [Finding] {
        [place(directory, serviceUser), space(directory)]
    }

    private static func place(_ directory: String, _ serviceUser: String?) -> Finding {
        let name = "state directory"
        guard let found = FileIdentity(directory) else {
            let above = existing(above: directory)
            guard access(above, W_OK) == 0 else {
                return .fail(
                    name, "\(directory) does not exist and \(above) is not writable", "choose another with --state-dir")
            }
            return .ok(name, "\(directory) will be made")
        }
        guard found.isDirectory else {
            return .fail(name, "\(directory) is not a directory", "choose another with --state-dir")
        }
        if let serviceUser, let user = getpwnam(serviceUser), user.pointee.pw_uid != found.uid {
            return .warn(
                name, "\(directory) belongs to uid \(found.uid), not to \(serviceUser)",
                "chown \(serviceUser) \(directory)")
        }
        guard access(directory, W_OK) == 0 else {
            return .fail(name, "\(directory) is not writable", "chown it to whoever runs the server")
        }
        return .ok(name, directory)
    }

    private static func space(_ directory: String) -> Finding {
        let place = existing(above: directory)
        guard let attributes = try? FileManager.default.attributesOfFileSystem(forPath: place),
            let free = attributes[.systemFreeSize] as? NSNumber
        else { return .warn("free space", "\(place) cannot be asked", "check the disk") }
        let mebibytes = free.uint64Value >> 20
        let text = "\(mebibytes) MiB at \(place)"
        if mebibytes < 200 { return .fail("free space", text, "make room: the registry and every workspace need it") }
        if mebibytes < 2048 { return .warn("free space", text, "make room: a few workspaces fill this") }
        return .ok("free space", text)
    }

    /// The path itself, or the nearest directory above it that exists.
    static func existing(above path: String) -> String {
        var path = path
        while path != "/", !FileManager.default.fileExists(atPath: path) {
            path = (path as NSString).deletingLastPathComponent
            if path.isEmpty { return "." }
        }
        return path
    }
}

/// Whether the state directory's filesystem can be mounted with mapped ids, which is how a session's files can be its
/// own and the supervisor's at once.
enum IdmapCheck {
    static func finding(near directory: String) -> Finding {
        let name = "idmapped mounts"
        let place = StateChecks.existing(above: directory)
        let remedy = "put the state directory on ext4, xfs, btrfs or tmpfs, with Linux 5.12 or later"
        switch NamespacedChild.start("/bin/sleep", ["10"], namespaces: UInt64(RK_NEW_USER)) {
        case .failure(let failure): return .warn(name, "no user namespace to try with: \(failure)", remedy)
        case .success(let child):
            defer { child.end() }
            for map in ["uid_map", "gid_map"] {
                guard let file = FileHandle(forWritingAtPath: "/proc/\(child.pid)/\(map)"),
                    (try? file.write(contentsOf: Data("0 100000 65536\n".utf8))) != nil
                else { return .warn(name, "the id map of a user namespace cannot be written", remedy) }
            }
            let namespace = open("/proc/\(child.pid)/ns/user", O_RDONLY | O_CLOEXEC)
            let tree = rk_open_tree(AT_FDCWD, place, false)
            defer {
                close(namespace)
                close(tree)
            }
            guard namespace >= 0, tree >= 0 else { return .warn(name, "\(place) cannot be opened as a mount", remedy) }
            let result = rk_set_mount(tree, 0, namespace, false)
            guard result >= 0 else {
                return .warn(name, "\(place) does not allow them: \(String(cString: strerror(-result)))", remedy)
            }
            return .ok(name, "the filesystem of \(place) allows them")
        }
    }
}
