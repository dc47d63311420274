import Foundation
import Glibc
import Policy
import Sandbox
import SessionCore
import WorkerControl

/// The temporary home, and workspace, of one command run by hand: on a disk image as a session's are, where that can be.
struct RunScratch {
    private let path: String
    /// nil: plain directories.
    private var disk: DiskMount?
    /// `disk`, `inodes` and `unwritten`.
    let limits: [EnforcedLimit]

    var home: String { "\(files)/home" }
    var workspace: String { "\(files)/workspace" }
    var overlay: String { "\(files)/overlay" }
    private var files: String { disk?.root.path ?? path }

    /// Without `mountsArePrivate` the files are plain directories.
    init(range: UIDRange?, limits: ResourceLimits, mountsArePrivate: Bool) throws(LaunchFailure) {
        var template = Array("\(Self.base)/rookery-run-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw Self.failure("cannot make a directory in \(Self.base)") }
        path = String(cString: made)
        do throws(LaunchFailure) {
            (disk, self.limits) = try Self.disk(
                in: path, limits, rootless: range == nil, mountsArePrivate: mountsArePrivate)
        } catch {
            rmdir(path)
            throw error
        }
        do throws(LaunchFailure) {
            for directory in [home, workspace, overlay] { try Self.make(directory, range) }
        } catch {
            remove()
            throw error
        }
    }

    private static func disk(
        in path: String, _ limits: ResourceLimits, rootless: Bool, mountsArePrivate: Bool
    ) throws(LaunchFailure) -> (DiskMount?, [EnforcedLimit]) {
        guard let size = limits.disk, let inodes = limits.effectiveInodes else {
            return (nil, LimitReport.disk(limits, notEnforced: "the policy sets none"))
        }
        if let lack = DiskSupport.lack(rootless: rootless, mountsArePrivate: mountsArePrivate) {
            return (nil, LimitReport.disk(limits, notEnforced: lack))
        }
        let directory: Directory
        do { directory = try Directory(at: path) } catch { throw DiskImage.failure("temporary directory", error, "") }
        let id = SessionID()
        let image = try DiskImage.make(id, size: size, inodes: inodes, in: directory)
        // From here on its mount alone holds it, and nothing is left however this process ends.
        defer { try? DiskImage.remove(id, in: directory) }
        let mount = try DiskMount(image, id, in: directory)
        return (mount, SessionFiles.bounded(mount, image, limits))
    }

    private static func make(_ directory: String, _ range: UIDRange?) throws(LaunchFailure) {
        guard mkdir(directory, 0o700) == 0 else { throw failure("cannot make \(directory)") }
        guard let range else { return }
        guard chown(directory, range.host(UInt16(SandboxLayout.uid)), range.host(UInt16(SandboxLayout.gid))) == 0
        else { throw failure("cannot give \(directory) to the sandbox's user") }
    }

    mutating func remove() {
        if let device = disk?.device {
            disk?.detach()
            disk = nil
            WriteBound.liftUnused(after: device)
        }
        let name = (path as NSString).lastPathComponent
        guard let parent = try? Directory(at: (path as NSString).deletingLastPathComponent) else { return }
        try? TreeRemoval.remove(name, in: parent)
    }

    /// Without links, as the sandbox wants it.
    private static var base: String {
        guard let text = realpath(NSTemporaryDirectory(), nil) else { return "/tmp" }
        defer { free(text) }
        return String(cString: text)
    }

    private static func failure(_ message: String) -> LaunchFailure {
        let code = errno
        return LaunchFailure(
            step: "temporary directory", errno: code, message: "\(message): \(SystemError.reason(code))",
            remedy: "free space there, or set TMPDIR")
    }
}

/// The directory that a caller wants as workspace.
struct CallerWorkspace {
    let path: String
    /// nil when rootless: the caller's own files are the command's.
    let owner: HostOwner?

    init(_ given: String, rootless: Bool) throws(LaunchFailure) {
        guard let text = realpath(given, nil) else {
            let code = errno
            throw LaunchFailure(
                step: "workspace", errno: code, message: "\(given): \(SystemError.reason(code))",
                remedy: "name a directory that exists")
        }
        defer { free(text) }
        path = String(cString: text)
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw LaunchFailure(
                step: "workspace", errno: ENOTDIR, message: "\(path) is not a directory", remedy: "name a directory")
        }
        guard !rootless else {
            owner = nil
            return
        }
        // What the command makes there belongs to this owner, set-user-id files too: that must not be root.
        guard status.st_uid != 0 else {
            throw LaunchFailure(
                step: "workspace", errno: EPERM, message: "\(path) belongs to root",
                remedy: "use a directory of an ordinary user, or run this as that user")
        }
        owner = HostOwner(uid: status.st_uid, gid: status.st_gid)
    }
}
