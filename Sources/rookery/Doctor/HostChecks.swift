import CLinux
import Foundation
import Glibc
import Sandbox

/// Whether this kernel has Landlock, which holds files and ports of supervisor, workers and sessions once more.
enum LandlockCheck {
    static func finding() -> Finding { finding(version: rk_landlock_abi()) }

    static func finding(version: Int32) -> Finding {
        guard version > 0 else {
            return .warn(
                "landlock", "this kernel has none: namespaces and modes alone hold files",
                "boot with landlock in lsm=, on Linux 5.13 or later")
        }
        guard version >= 6 else {
            return .warn(
                "landlock",
                "version \(version): files"
                    + (version >= 4 ? " and TCP ports" : "") + ", not abstract sockets and signals",
                "run Linux 6.12 or later for all of it")
        }
        return .ok("landlock", "version \(version)")
    }
}

/// Whether an ordinary user has ids to give to what runs beside the session's command.
enum SubordinateIDCheck {
    static func finding(_ found: Result<SubordinateIDs, SubordinateIDs.Lack>) -> Finding {
        switch found {
        case .success(let ids):
            .ok("subordinate ids", "\(SubordinateIDs.count) from \(ids.uids) on, groups from \(ids.gids) on")
        case .failure(let lack):
            .warn("subordinate ids", "\(lack.reason): pid 1 of a sandbox has the session's own id", lack.remedy)
        }
    }
}

/// Whether there are images beside the host's own system.
enum ImagesCheck {
    static func finding(_ directory: String) -> Finding {
        guard let found = FileIdentity(directory) else {
            return .ok("images", "\(directory) does not exist: sessions use the host's own programs")
        }
        guard found.isDirectory, access(directory, R_OK | X_OK) == 0 else {
            return .warn("images", "\(directory) cannot be read", "name another with --images, or open it")
        }
        return .ok("images", directory)
    }
}

/// What decides who dies when memory runs out.
enum MemoryChecks {
    static func all() -> [Finding] {
        [
            memory(KernelChecks.contents("/proc/meminfo") ?? ""),
            outOfMemory { KernelChecks.contents("/proc/sys/vm/\($0)") },
        ]
    }

    static func memory(_ text: String) -> Finding {
        func mebibytes(_ name: String) -> UInt64? {
            let line = text.split(separator: "\n").first { $0.hasPrefix("\(name):") }
            return line?.split(separator: " ").dropFirst().first.flatMap { UInt64($0) }.map { $0 >> 10 }
        }
        guard let total = mebibytes("MemTotal"), let free = mebibytes("MemAvailable") else {
            return .warn("memory", "/proc/meminfo cannot be read", "mount /proc")
        }
        let detail = "\(free) of \(total) MiB available, \(mebibytes("SwapTotal") ?? 0) MiB of swap"
        guard free >= 1024 else { return .warn("memory", detail, "make room: an idle session takes 200 to 300 MiB") }
        return .ok("memory", detail)
    }

    static func outOfMemory(_ sysctl: (String) -> String?) -> Finding {
        if let panics = sysctl("panic_on_oom"), panics != "0" {
            return .warn(
                "out of memory", "the machine stops when memory runs out (vm.panic_on_oom=\(panics))",
                "sysctl -w vm.panic_on_oom=0")
        }
        if sysctl("overcommit_memory") == "2" {
            return .warn(
                "out of memory",
                "memory is not overcommitted (vm.overcommit_memory=2): Node reserves far more than it uses",
                "sysctl -w vm.overcommit_memory=0")
        }
        return .ok("out of memory", "the kernel ends processes, sessions' first")
    }
}

/// Whether the clock can be trusted: times in logs, idle times, tokens' ends.
enum ClockCheck {
    static func finding() -> Finding {
        let synchronised = rk_clock_synchronised()
        let before = ContinuousClock.now
        let seconds = Int(Date.now.timeIntervalSince1970)
        return finding(
            seconds: seconds, synchronised: synchronised < 0 ? nil : synchronised == 1,
            advances: before <= ContinuousClock.now)
    }

    /// - Parameters:
    ///   - seconds: the wall clock's, since 1970.
    ///   - synchronised: what the kernel says (adjtimex(2), TIME_ERROR); nil when it may not be asked.
    ///   - advances: whether the monotonic clock goes forward.
    static func finding(seconds: Int, synchronised: Bool?, advances: Bool) -> Finding {
        guard advances else {
            return .fail("clock", "the monotonic clock goes backwards", "see the machine's clock source")
        }
        // Earlier than this program.
        guard seconds > 1_767_225_600 else {
            return .fail("clock", "the clock is before 2026", "set it: timedatectl set-ntp true")
        }
        guard synchronised ?? true else {
            return .warn(
                "clock", "not synchronised, says the kernel", "timedatectl set-ntp true, or let the hypervisor keep it")
        }
        return .ok("clock", synchronised == nil ? "sane; whether it is synchronised cannot be asked" : "synchronised")
    }
}

/// Whether there is somewhere to listen.
enum SocketChecks {
    /// A session's longest socket path must fit sun_path (unix(7)).
    static func runtime(_ directory: String) -> Finding {
        let longest = "\(directory)/w/00000000-0000-0000-0000-000000000000/handover.sock".utf8.count
        guard longest <= 107 else {
            return .fail(
                "runtime directory", "\(directory) is \(longest - 107) bytes too long for sockets in it",
                "choose a shorter --runtime-dir")
        }
        let place = StateChecks.existing(above: directory)
        guard access(place, W_OK) == 0 else {
            return .fail("runtime directory", "\(place) is not writable", "choose another with --runtime-dir")
        }
        return .ok("runtime directory", directory)
    }

    /// - Parameter served: whether a server of ours answers already.
    static func port(_ port: UInt16, served: Bool) -> Finding {
        let name = "port"
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result == 0 { return .ok(name, "127.0.0.1:\(port) is free") }
        let reason = String(cString: strerror(errno))
        if served { return .ok(name, "127.0.0.1:\(port) is in use, and a server answers") }
        return .warn(name, "127.0.0.1:\(port): \(reason)", "end what uses it, or serve elsewhere with --bind")
    }
}
