/// One line of /proc/<pid>/mountinfo (proc_pid_mountinfo(5)), as far as cgroups need it.
struct MountEntry: Sendable, Hashable {
    /// The part of the file system that is mounted.
    var root: String
    var mountPoint: String
    var isReadOnly: Bool
    var type: String
    /// Options of the file system itself; of a v1 hierarchy, its controllers are among them.
    var superOptions: [Substring]

    /// nil for a line that is not one of mountinfo's.
    init?(line: Substring) {
        let fields = line.split(separator: " ")
        guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 2 else { return nil }
        root = Self.unescaped(fields[3])
        mountPoint = Self.unescaped(fields[4])
        type = String(fields[dash + 1])
        superOptions = fields.count > dash + 3 ? fields[dash + 3].split(separator: ",") : []
        isReadOnly = fields[5].split(separator: ",").contains("ro") || superOptions.contains("ro")
    }

    static func all(in text: String) -> [MountEntry] { text.split(separator: "\n").compactMap(MountEntry.init(line:)) }

    /// Spaces, tabs, newlines and backslashes are written as `\ooo`.
    private static func unescaped(_ field: Substring) -> String {
        guard field.contains("\\") else { return String(field) }
        var bytes: [UInt8] = []
        var rest = field.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3,
                let value = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Where a cgroup, named as in /proc/<pid>/cgroup, is found below this mount; nil when the mount does not show it.
    func directory(ofCgroup path: String) -> String? {
        guard path.hasPrefix("/"), !path.split(separator: "/").contains("..") else { return nil }
        let below: Substring
        if root == "/" {
            below = path[...]
        } else if path == root {
            below = ""
        } else if path.hasPrefix(root + "/") {
            below = path.dropFirst(root.count)
        } else {
            return nil
        }
        return below == "/" || below.isEmpty ? mountPoint : mountPoint + below
    }
}
