import CLinux
import Glibc

/// The host's ids that an ordinary user may map into user namespaces of his own (subuid(5), subgid(5)), so that a rootless
/// sandbox has others than the user's: rookery-init is one of them, and nothing the command does reaches it. 1000 inside
/// stays the user, whose the session's files are.
public struct SubordinateIDs: Sendable, Hashable {
    /// The first of ``count`` user ids and of as many group ids.
    public var uids: UInt32
    public var gids: UInt32
    /// The caller's own, 1000 inside.
    public var uid: UInt32
    public var gid: UInt32

    /// What 0…65535 inside needs beside the caller.
    public static let count: UInt32 = 65_535

    /// One line of an id map: `count` ids from `inside` on are those from `outside` on.
    struct Extent: Sendable, Hashable {
        var inside: UInt32
        var outside: UInt32
        var count: UInt32
    }

    static func extents(first: UInt32, own: UInt32) -> [Extent] {
        [
            Extent(inside: 0, outside: first, count: 1000), Extent(inside: 1000, outside: own, count: 1),
            Extent(inside: 1001, outside: first + 1000, count: count - 1000),
        ]
    }

    /// What a rootless sandbox of the caller's maps, and if it is little, why; for a person to read.
    public static var explanation: String {
        switch lookUp() {
        case .success(let ids):
            "0 to 999 and 1001 to 65535 inside are \(ids.uids) to \(ids.uids + count - 1) on the host (groups \(ids.gids) "
                + "to \(ids.gids + count - 1)), 1000 is the caller"
        case .failure(let lack): "1000 inside is the caller, and there is no other: \(lack.reason)"
        }
    }

    // MARK: Whether the caller has some

    /// nil when the caller has no range that is large enough, or nothing that may write such a map.
    public static func ofCaller() -> SubordinateIDs? {
        guard case .success(let ids) = lookUp() else { return nil }
        return ids
    }

    /// Why there are none.
    public struct Lack: Error, Sendable, Hashable {
        public var reason: String
        public var remedy: String
    }

    public static func lookUp() -> Result<SubordinateIDs, Lack> {
        let uid = geteuid()
        let user = getpwuid(uid).map { String(cString: $0.pointee.pw_name) }
        guard let user else {
            return .failure(Lack(reason: "uid \(uid) has no name", remedy: "add it to /etc/passwd"))
        }
        let grant = "usermod --add-subuids 200000-265535 --add-subgids 200000-265535 \(user)"
        guard let uids = first(in: text(of: "/etc/subuid"), user: user, uid: uid) else {
            return .failure(Lack(reason: "/etc/subuid has no \(count) ids for \(user)", remedy: grant))
        }
        guard let gids = first(in: text(of: "/etc/subgid"), user: user, uid: uid) else {
            return .failure(Lack(reason: "/etc/subgid has no \(count) ids for \(user)", remedy: grant))
        }
        for tool in [Self.uidTool, Self.gidTool] where rk_gains_privileges(tool) != 1 {
            return .failure(
                Lack(
                    reason: "\(tool) is missing, or cannot gain the privilege it needs",
                    remedy: "apt-get install uidmap; in a container, allow set-user-id programs"))
        }
        return .success(SubordinateIDs(uids: uids, gids: gids, uid: uid, gid: getegid()))
    }

    /// The first of enough ids for a user in the text of /etc/subuid or /etc/subgid: lines of `name or uid:first:count`.
    static func first(in text: String, user: String, uid: UInt32) -> UInt32? {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count == 3, fields[0] == user || fields[0] == "\(uid)", let first = UInt32(fields[1]),
                let count = UInt32(fields[2])
            else { continue }
            // Never the ids of the host's own users.
            if count >= Self.count, first > 1000, first <= UInt32.max - Self.count { return first }
        }
        return nil
    }

    private static func text(of path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    private static let uidTool = "/usr/bin/newuidmap"
    private static let gidTool = "/usr/bin/newgidmap"

    // MARK: Writing the maps

    /// Writes both maps of a process that was born in a new user namespace.
    func map(_ pid: Int32) throws(SandboxError) {
        try Self.run(Self.uidTool, pid, Self.extents(first: uids, own: uid))
        try Self.run(Self.gidTool, pid, Self.extents(first: gids, own: gid))
    }

    private static func run(_ tool: String, _ pid: Int32, _ extents: [Extent]) throws(SandboxError) {
        let numbers = [UInt32(bitPattern: pid)] + extents.flatMap { [$0.inside, $0.outside, $0.count] }
        let output: String
        do {
            let (exit, complaints) = try SystemTool.run(tool, numbers.map(String.init))
            if exit == .code(0) { return }
            output = complaints
        } catch { output = "\(error)" }
        throw SandboxError(
            step: "id-map", errno: EPERM, message: "\(tool): \(output.split(separator: "\n").first ?? "it failed")",
            remedy: "see /etc/subuid, /etc/subgid and that \(tool) is set-user-id root (package uidmap)")
    }
}
