import CLinux
import Glibc

/// A child in new namespaces, to see whether they can be made.
struct NamespacedChild {
    let pid: pid_t
    private let pidfd: Int32

    struct Refused: Error, CustomStringConvertible { var description: String }

    static func start(_ path: String, _ arguments: [String] = [], namespaces: UInt64) -> Result<
        NamespacedChild, Refused
    > {
        let program = open(path, O_RDONLY | O_CLOEXEC)
        guard program >= 0 else { return .failure(Refused(description: "\(path) cannot be opened")) }
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer {
            close(program)
            close(null)
        }
        let words = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var nothing: [UnsafeMutablePointer<CChar>?] = [nil]
        return words.withUnsafeBufferPointer { argv in
            nothing.withUnsafeMutableBufferPointer { envp in
                var spawn = rk_spawn()
                spawn.program = program
                spawn.argv = argv.baseAddress
                spawn.envp = UnsafePointer(envp.baseAddress)
                spawn.standard = (null, null, null)
                spawn.namespaces = namespaces
                spawn.cgroup = -1
                spawn.directory = -1
                spawn.umask = -1
                var pidfd: Int32 = -1
                var failure = rk_spawn_failure()
                let pid = rk_spawn(&spawn, &pidfd, &failure)
                guard pid > 0 else {
                    let reason = "\(String(cString: rk_spawn_stage_name(failure.stage))): "
                    return .failure(Refused(description: reason + String(cString: strerror(failure.error))))
                }
                return .success(NamespacedChild(pid: pid, pidfd: pidfd))
            }
        }
    }

    /// Ends it if it runs, and reaps it.
    func end() {
        rk_pidfd_send_signal(pidfd, SIGKILL)
        wait()
    }

    func wait() {
        var result = rk_exit()
        rk_pidfd_wait(pidfd, 1, &result)
        close(pidfd)
    }
}
