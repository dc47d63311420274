import Glibc

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

    /// Makes a directory of this user's. An existing one keeps its content and gets the owner and the mode.
    func own(directory: String, mode: mode_t) throws(ConfigurationError) {
        try makeDirectory(directory, mode: mode)
        guard chown(directory, uid, gid) == 0 else {
            throw ConfigurationError("\(directory) cannot be given to '\(name)': \(String(cString: strerror(errno)))")
        }
    }

    /// Gives up root for good and makes sure. For root, setgid(2) and setuid(2) change the saved ids too, and glibc
    /// changes them in all threads.
    func become() throws(ConfigurationError) {
        guard setgroups(0, nil) == 0, setgid(gid) == 0, setuid(uid) == 0 else {
            throw ConfigurationError("cannot become '\(name)': \(String(cString: strerror(errno)))")
        }
        guard setuid(0) != 0, geteuid() == uid, getegid() == gid else {
            throw ConfigurationError("became '\(name)' but could become root again; refusing to go on")
        }
    }
}

/// Makes a directory and its parents (0755) and sets the directory's own mode.
func makeDirectory(_ path: String, mode: mode_t) throws(ConfigurationError) {
    var made = ""
    for part in path.split(separator: "/") {
        made += "/" + part
        guard mkdir(made, 0o755) == 0 || errno == EEXIST else {
            throw ConfigurationError("\(made) cannot be made: \(String(cString: strerror(errno)))")
        }
    }
    // Only the owner can; a directory that somebody prepared for us keeps its mode.
    guard chmod(path, mode) == 0 || errno == EPERM else {
        throw ConfigurationError("\(path) cannot be used: \(String(cString: strerror(errno)))")
    }
}
