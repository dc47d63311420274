import Foundation
import Glibc
import Images
import Policy

/// The files of an image before they are packed. What is in it may be anybody's: no link in it is followed.
struct ImageTree {
    let path: String

    /// What is generated for every sandbox, or says something about the machine that the image was made on.
    private static let emptied = [
        "boot", "dev", "home", "media", "mnt", "proc", "root", "run", "srv", "sys", "tmp", "var/backups", "var/cache",
        "var/lib/apt/lists", "var/log", "var/tmp",
    ]
    private static let removed = [
        "etc/apt/apt.conf.d/99mmdebstrap", "etc/apt/sources.list", "etc/apt/sources.list.d",
        "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
        "var/lib/apt/extended_states", "var/lib/dbus/machine-id", "var/lib/dpkg/status-old",
        "var/lib/dpkg/available-old",
        "etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/subuid-", "etc/subgid-",
    ]
    /// Their content is the recipe's to say, if it stays a plain file; that of the other generated files is nobody's.
    private static let keptContent: Set<String> = [
        "/etc/group", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/passwd", "/etc/shells",
    ]

    /// Puts a file of a recipe in.
    func install(_ file: Recipe.File) throws(ImageError) {
        guard let data = FileManager.default.contents(atPath: file.source) else {
            throw ImageError("\(file.source) cannot be read", remedy: "put it back, or take it out of the recipe")
        }
        try write(data, to: file.target, mode: mode_t(file.mode))
    }

    /// Makes of a tree what every image is: nothing of this machine in it, no privileged file, and a place for all that is
    /// mounted over it.
    func prepare(_ tool: Tool) throws(ImageError) {
        for name in Self.emptied { try empty(name) }
        for name in Self.removed where try holder(of: name) != nil {
            try? FileManager.default.removeItem(atPath: "\(path)/\(name)")
        }
        try tool.run(
            "find",
            [
                path, "-xdev", "(", "-type", "b", "-o", "-type", "c", "-o", "-type", "p", "-o", "-type", "s", ")",
                "-delete",
            ])
        try tool.run(
            "find",
            [
                path, "-xdev", "(", "-type", "f", "-o", "-type", "d", ")", "-perm", "/6000", "-exec", "chmod",
                "u-s,g-s", "{}", "+",
            ])
        try tool.run(
            "find",
            [
                path, "-xdev", "(", "-type", "f", "-o", "-type", "d", ")", "-perm", "/022", "-exec", "chmod", "go-w",
                "{}", "+",
            ])
        for place in SandboxLayout.generatedFiles {
            var status = stat()
            let isFile = lstat(path + place, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
            if isFile, Self.keptContent.contains(place) { continue }
            try write(Data(), to: place, mode: 0o644)
        }
        try makeDirectory(SandboxLayout.settingsDirectory)
        var status = stat()
        if lstat(path + SandboxLayout.claude, &status) != 0 || status.st_mode & S_IFMT != S_IFREG {
            // Not executable: where no Claude Code is mounted over it, a call must fail.
            try write(Data(), to: SandboxLayout.claude, mode: 0o644)
        }
        try link("/etc/mtab", to: "/proc/self/mounts")
        try link("/var/tmp", to: "/tmp")
        try link("/var/run", to: "/run")
    }

    /// Gives what was made later than `start` the time of the newest thing that was there before, or of
    /// SOURCE_DATE_EPOCH: two builds of the same packages are then the same.
    /// - Returns: that time, in seconds since 1970.
    func settleTimes(after start: Int, _ tool: Tool) throws(ImageError) -> Int {
        let times = try tool.run(
            "find", [path, "-xdev", "!", "-newermt", "@\(start)", "-printf", "%T@\n"], captures: true)
        let newest = times.split(separator: "\n").compactMap { Int($0.prefix { $0 != "." }) }.max() ?? 0
        let epoch = ProcessInfo.processInfo.environment["SOURCE_DATE_EPOCH"].flatMap { Int($0) } ?? newest
        try tool.run(
            "find", [path, "-xdev", "-newermt", "@\(epoch)", "-exec", "touch", "-h", "-d", "@\(epoch)", "{}", "+"])
        return epoch
    }

    var packages: [ImagePackage] {
        guard (try? holder(of: "var/lib/dpkg/status")) != nil,
            let data = FileManager.default.contents(atPath: "\(path)/var/lib/dpkg/status")
        else { return [] }
        return ImagePackage.installed(status: String(decoding: data, as: UTF8.self))
    }

    // MARK: Steps

    private func write(_ data: Data, to place: String, mode: mode_t) throws(ImageError) {
        try makeDirectory((place as NSString).deletingLastPathComponent)
        let target = path + place
        unlink(target)
        let file = open(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("cannot write \(place)") }
        defer { close(file) }
        var rest = data[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            guard count > 0 else { throw failure("cannot write \(place)") }
            rest = rest.dropFirst(count)
        }
        guard fchmod(file, mode) == 0 else { throw failure("cannot write \(place)") }
    }

    private func makeDirectory(_ place: String) throws(ImageError) {
        var made = path
        for part in place.split(separator: "/") {
            made += "/\(part)"
            var status = stat()
            if lstat(made, &status) == 0 {
                guard status.st_mode & S_IFMT == S_IFDIR else {
                    throw ImageError(
                        "\(place) of the image leads through what is no directory", remedy: "correct the tree")
                }
                continue
            }
            guard mkdir(made, 0o755) == 0, chmod(made, 0o755) == 0 else { throw failure("cannot make \(place)") }
        }
    }

    private func link(_ place: String, to target: String) throws(ImageError) {
        try makeDirectory((place as NSString).deletingLastPathComponent)
        try? FileManager.default.removeItem(atPath: path + place)
        guard symlink(target, path + place) == 0 else { throw failure("cannot link \(place)") }
    }

    private func empty(_ name: String) throws(ImageError) {
        guard let directory = try holder(of: name) else { return }
        var status = stat()
        guard lstat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return }
        do {
            for entry in try FileManager.default.contentsOfDirectory(atPath: directory) {
                try FileManager.default.removeItem(atPath: "\(directory)/\(entry)")
            }
        } catch {
            throw ImageError("/\(name) of the image cannot be emptied: \(error)", remedy: "see what is mounted there")
        }
    }

    /// The path of something in the tree; nil when it is not there, or when the way leads over a link.
    private func holder(of name: String) throws(ImageError) -> String? {
        var made = path
        let parts = name.split(separator: "/")
        for (index, part) in parts.enumerated() {
            made += "/\(part)"
            var status = stat()
            guard lstat(made, &status) == 0 else { return nil }
            if index < parts.count - 1, status.st_mode & S_IFMT != S_IFDIR { return nil }
        }
        return made
    }

    private func failure(_ problem: String) -> ImageError {
        let code = errno
        return ImageError("\(problem): \(String(cString: strerror(code)))", remedy: "", errno: code)
    }
}
