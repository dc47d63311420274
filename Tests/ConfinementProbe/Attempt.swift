import CLinux
import Glibc

/// One thing that a confined program tries; a negative result is a refusal, with errno set.
struct Attempt: Sendable {
    var name: String
    var body: @Sendable () -> Int

    static func all(_ directory: String) -> [Attempt] {
        processes + kernel + sockets + files(directory) + ordinary
    }

    private static func call(_ name: String, _ number: Int, _ arguments: Int...) -> Attempt {
        let all = arguments + [Int](repeating: 0, count: 6 - arguments.count)
        return Attempt(name: name) { systemCall(number, all[0], all[1], all[2], all[3], all[4], all[5]) }
    }

    // The numbers are x86_64's.
    private static let processes = [
        Attempt(name: "execve") {
            var words: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/true"), nil]
            return Int(execv("/bin/true", &words))
        },
        call("fork", 57), call("vfork", 58), call("clone", 56, 17), call("clone-userns", 56, 0x1000_0011),
        call("clone3", 435, 0, 88), call("ptrace", 101, 0, 0), call("process_vm_readv", 310, Int(getppid())),
        Attempt(name: "kill-parent") { Int(kill(getppid(), 0)) },
        call("tgkill-parent", 234, Int(getppid()), Int(getppid()), 0), call("setsid", 112), call("setuid", 105, 0),
        call("prctl-dumpable", 157, 4, 1), call("prctl-seccomp", 157, 22, 2),
        call("prlimit-parent", 302, Int(getppid()), 7),
    ]

    private static let kernel = [
        call("mount", 165), call("umount2", 166), call("unshare", 272, 0x1000_0000), call("setns", 308, 0, 0),
        call("pivot_root", 155), call("chroot", 161), call("bpf", 321), call("keyctl", 250, 0),
        call("perf_event_open", 298), call("userfaultfd", 323, 0), call("io_uring_setup", 425, 1, 0),
        call("init_module", 175), call("memfd_create", 319), call("open_by_handle_at", 304),
        call("unknown", 1000),
        call("tiocsti", 16, 0, 0x5412, 0),
    ]

    private static let sockets = [
        call("socket-packet", 41, 17, 3, 0), call("socket-vsock", 41, 40, 1, 0), call("socket-alg", 41, 38, 5, 0),
        call("socket-raw", 41, 2, 3, 1), call("socket-netfilter", 41, 16, 3, 12), call("socket-unix", 41, 1, 1, 0),
        call("socket-tcp", 41, 2, 1, 0), call("socket-route", 41, 16, 3, 0),
        Attempt(name: "bind-tcp") { withLoopback(port: 0) { Int(bind($0, $1, $2)) } },
        Attempt(name: "connect-tcp") { withLoopback(port: 9) { Int(connect($0, $1, $2)) } },
    ]

    private static func files(_ directory: String) -> [Attempt] {
        @Sendable func opened(_ path: String, _ flags: Int32) -> Int {
            let descriptor = open(path, flags, 0o600)
            if descriptor >= 0 { close(descriptor) }
            return Int(descriptor)
        }
        return [
            Attempt(name: "read-foreign") { opened("\(directory)/foreign", O_RDONLY) },
            Attempt(name: "write-foreign") { opened("\(directory)/new", O_WRONLY | O_CREAT) },
            Attempt(name: "remove-foreign") { Int(unlink("\(directory)/foreign")) },
            Attempt(name: "move-foreign") { Int(rename("\(directory)/foreign", "\(directory)/own/foreign")) },
            Attempt(name: "read-own") { opened("\(directory)/own/file", O_RDONLY) },
            Attempt(name: "write-own") { opened("\(directory)/own/new", O_WRONLY | O_CREAT) },
            Attempt(name: "device-own") { Int(mknod("\(directory)/own/device", S_IFCHR | 0o600, 0x103)) },
            Attempt(name: "read-system") { opened("/etc/passwd", O_RDONLY) },
            Attempt(name: "write-system") { opened("/etc/passwd", O_WRONLY) },
        ]
    }

    /// What must go on working.
    private static let ordinary = [
        Attempt(name: "thread") {
            var thread = pthread_t()
            let result = pthread_create(&thread, nil, { _ in nil }, nil)
            guard result == 0 else {
                errno = result
                return -1
            }
            return Int(pthread_join(thread, nil))
        },
        Attempt(name: "signal-self") { Int(kill(getpid(), 0)) },
        Attempt(name: "pipe") {
            var ends: [Int32] = [0, 0]
            return Int(pipe(&ends))
        },
    ]

    private static func withLoopback(
        port: UInt16, _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int
    ) -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                let result = body(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                let code = errno
                defer { errno = code }
                return result
            }
        }
    }
}
