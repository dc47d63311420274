import Foundation

/// Starts programs for `rookery wrap`.
enum ProgramSpawn {
    /// POSIX_SPAWN_SETSID, which Glibc's module hides.
    static let newSession: Int16 = 0x80

    /// - Parameters:
    ///   - environment: nil for this program's own.
    ///   - arrange: says what the program's descriptors are.
    /// - Throws: ``Failure/refused(_:)`` with why it cannot be started.
    static func start(
        _ arguments: [String], environment: [String: String]? = nil, flags: Int16 = 0,
        _ arrange: (inout posix_spawn_file_actions_t) -> Void
    ) throws(Failure) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        arrange(&actions)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // What this program ignores, that one must not.
        var standard = sigset_t()
        sigfillset(&standard)
        posix_spawnattr_setsigdefault(&attributes, &standard)
        var blocked = sigset_t()
        sigemptyset(&blocked)
        posix_spawnattr_setsigmask(&attributes, &blocked)
        posix_spawnattr_setflags(&attributes, flags | Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] =
            (environment ?? [:]).map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in words + variables { free(word) } }
        var child: pid_t = 0
        let error =
            environment == nil
            ? posix_spawnp(&child, arguments[0], &actions, &attributes, &words, environ)
            : posix_spawnp(&child, arguments[0], &actions, &attributes, &words, &variables)
        guard error == 0 else {
            throw .refused("'\(arguments[0])' cannot be started: \(String(cString: strerror(error)))")
        }
        return child
    }

    /// Waits until it has ended.
    /// - Returns: its exit code, or 128 and the signal's number.
    static func wait(for process: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    }
}
