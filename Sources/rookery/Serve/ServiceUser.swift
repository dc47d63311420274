import CLinux
import Foundation

/// The unprivileged user that the supervisor becomes when it was started as root.
struct ServiceUser: Equatable {
    var name: String
    var uid: UInt32
    var gid: UInt32

    /// Looks the user up in the user database.
    init(named name: String) throws(ConfigurationError) {
        guard let entry = getpwnam(name) else {
            throw ConfigurationError(
                "there is no user '\(name)', as whom the supervisor would run; make it with 'useradd --system "
                    + "--user-group --no-create-home \(name)', or name another with --service-user")
        }
        guard entry.pointee.pw_uid != 0 else {
            throw ConfigurationError("--service-user \(name) is root; name a user without privileges")
        }
        self.name = name
        uid = entry.pointee.pw_uid
        gid = entry.pointee.pw_gid
    }

    /// Makes a directory of this user's, or takes over an empty one of root's. One that holds something is never given
    /// away: a slip such as `--state-dir /var` would hand over the machine. Images alone do not count: they may have been
    /// built before the first start, and stay root's.
    func own(directory: String, mode: mode_t) throws(ConfigurationError) {
        if let found = FileIdentity(directory), found.uid != uid {
            let content = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? ["?"]
            guard found.uid == 0, content.allSatisfy({ $0 == "images" }) else {
                throw ConfigurationError(
                    "\(directory) belongs to uid \(found.uid), not to '\(name)', and is not empty; name a directory of "
                        + "its own, or 'chown \(name) \(directory)'")
            }
        }
        try makeDirectory(directory, mode: mode)
        guard chown(directory, uid, gid) == 0 else {
            throw ConfigurationError("\(directory) cannot be given to '\(name)': \(String(cString: strerror(errno)))")
        }
    }

    /// Gives up root for good and makes sure.
    func become() throws(ConfigurationError) {
        let result = rk_become(uid, gid)
        guard result == 0 else {
            throw ConfigurationError("cannot become '\(name)': \(String(cString: strerror(-result)))")
        }
        // glibc changes every thread but those that are ending, which is what the runtime makes of the main thread of
        // an asynchronous program. So look at each one as the kernel sees it.
        let expected = "Uid:" + String(repeating: "\t\(uid)", count: 4)
        let tasks = "/proc/self/task"
        let users = ((try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []).compactMap { thread in
            // A thread that ended meanwhile has nothing to give up.
            (try? String(contentsOfFile: "\(tasks)/\(thread)/status", encoding: .utf8))?
                .split(separator: "\n").first { $0.hasPrefix("Uid:") }
        }
        guard !users.isEmpty, users.allSatisfy({ $0 == expected }) else {
            throw ConfigurationError("became '\(name)', but not in every thread (\(users)); refusing to go on")
        }
    }
}

/// Makes a directory and its parents (0755) and sets the directory's own mode.
func makeDirectory(_ path: String, mode: mode_t) throws(ConfigurationError) {
    var made = ""
    for part in path.split(separator: "/") {
        made += "/" + part
        if mkdir(made, 0o755) == 0 {
            // The umask took away what lets the service user pass through a parent that root made.
            chmod(made, 0o755)
        } else if errno != EEXIST {
            throw ConfigurationError("\(made) cannot be made: \(String(cString: strerror(errno)))")
        }
    }
    // Only the owner can; a directory that somebody prepared for us keeps its mode.
    guard chmod(path, mode) == 0 || errno == EPERM else {
        throw ConfigurationError("\(path) cannot be used: \(String(cString: strerror(errno)))")
    }
}
