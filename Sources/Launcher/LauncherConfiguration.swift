import CLinux
import Glibc
import Sandbox
public import WorkerControl

/// What a launcher is told once, on its command line.
public struct LauncherConfiguration: Sendable {
    /// Holds `sessions/<id>`. Absolute, links resolved.
    public var stateDirectory: String
    /// Holds `w/<id>` (the workers' sockets) and `launcher/<id>.json` (what runs).
    public var runtimeDirectory: String
    /// Whom workers run as, and whose the session's directories are.
    public var serviceUID: UInt32
    public var serviceGID: UInt32
    /// Where `rookery-worker` and `rookery-init` are.
    public var libexecDirectory: String
    /// Holds the built images. Made by the launcher where it is missing, so that it is root's and not the service's.
    public var imagesDirectory: String
    /// No privilege: one uid per sandbox, the caller's.
    public var rootless: Bool
    /// Whether workers confine themselves.
    public var confinesWorkers = true
    /// This process has a mount namespace of its own: nobody else sees what it mounts.
    public var mountsArePrivate = false

    /// Resolves the directories, makes those that are missing, and refuses those that strangers may write to.
    public init(
        stateDirectory: String, runtimeDirectory: String, serviceUID: UInt32, serviceGID: UInt32,
        libexecDirectory: String, imagesDirectory: String? = nil, rootless: Bool
    ) throws(LaunchFailure) {
        self.serviceUID = serviceUID
        self.serviceGID = serviceGID
        self.rootless = rootless || geteuid() != 0
        self.stateDirectory = try Self.prepared(
            stateDirectory, name: "state directory", uid: serviceUID, gid: serviceGID)
        self.runtimeDirectory = try Self.prepared(
            runtimeDirectory, name: "runtime directory", uid: serviceUID, gid: serviceGID)
        self.imagesDirectory = imagesDirectory ?? "\(self.stateDirectory)/images"
        self.libexecDirectory = try Self.resolved(libexecDirectory, name: "libexec directory")
        // sun_path holds 108 bytes with its NUL (unix(7)).
        let longest = "\(self.runtimeDirectory)/w/00000000-0000-0000-0000-000000000000/\(WorkerSockets.handOver)"
        guard longest.utf8.count <= 107 else {
            throw LaunchFailure(
                step: "runtime directory", errno: ENAMETOOLONG,
                message: "a socket's path below \(self.runtimeDirectory) would be over 107 bytes",
                remedy: "choose a shorter --runtime-dir")
        }
    }

    var initProgram: String { "\(libexecDirectory)/rookery-init" }
    var workerProgram: String { "\(libexecDirectory)/rookery-worker" }

    private static func resolved(_ path: String, name: String) throws(LaunchFailure) -> String {
        guard path.hasPrefix("/"), let text = realpath(path, nil) else {
            let code = path.hasPrefix("/") ? errno : EINVAL
            throw LaunchFailure(
                step: name, errno: code, message: "'\(path)' cannot be used: \(SystemError.reason(code))",
                remedy: "name a directory that exists by its absolute path")
        }
        defer { free(text) }
        return String(cString: text)
    }

    private static func prepared(
        _ path: String, name: String, uid: UInt32, gid: UInt32
    ) throws(LaunchFailure) -> String {
        if mkdir(path, 0o700) == 0, geteuid() == 0 { _ = chown(path, uid, gid) }
        let directory = try resolved(path, name: name)
        var status = stat()
        guard stat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw LaunchFailure(
                step: name, errno: ENOTDIR, message: "\(directory) is not a directory", remedy: "name a directory")
        }
        guard [0, uid, geteuid()].contains(status.st_uid), status.st_mode & 0o022 == 0 else {
            throw LaunchFailure(
                step: name, errno: EPERM,
                message: "\(directory) may be written by others than the service's user (owner \(status.st_uid), "
                    + "mode \(String(status.st_mode & 0o7777, radix: 8)))",
                remedy: "chown \(uid) '\(directory)' and chmod go-w '\(directory)'")
        }
        guard status.st_uid == uid || uid == 0 || status.st_mode & 0o001 != 0 else {
            throw LaunchFailure(
                step: name, errno: EACCES, message: "\(directory) cannot be entered by the service's user, uid \(uid)",
                remedy: "chown \(uid) '\(directory)'")
        }
        return directory
    }
}
