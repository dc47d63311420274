import Glibc
import WorkerControl

/// What the kernel's log says about processes that it killed for want of memory. Nothing else tells their names.
enum KernelLog {
    private static let path = "/dev/kmsg"
    private static let largestRecord = 8192
    /// More than the largest log holds.
    private static let mostRecords = 1 << 20

    /// The kills within one cgroup, the oldest first. `cgroup` is the end of its path, `/<parent>/<leaf>`. Empty where the
    /// log may not be read.
    static func memoryKills(in cgroup: String) -> [MemoryKill] { memoryKills(in: cgroup, of: records()) }

    /// The same from the log's lines: an `oom-kill:` that names cgroup and pid, then `Killed process` with the figures.
    static func memoryKills(in cgroup: String, of lines: some Sequence<String>) -> [MemoryKill] {
        var kills: [MemoryKill] = []
        var named: Set<Substring> = []
        for line in lines {
            if let start = line.firstRange(of: "oom-kill:")?.upperBound {
                // The process's name, which the tenant chooses, stands behind the cgroups; it is too short for a leaf's.
                let fields = line[start...].split(separator: ",")
                guard fields.contains(where: { $0.hasPrefix("oom_memcg=") && $0.hasSuffix(cgroup) }),
                    let pid = fields.last(where: { $0.hasPrefix("pid=") })
                else { continue }
                named.insert(pid.dropFirst(4))
            } else if let start = line.firstRange(of: "Killed process ")?.upperBound {
                let text = line[start...]
                let pid = text.prefix { $0 != " " }
                guard named.remove(pid) != nil, let kill = MemoryKill(text) else { continue }
                kills.append(kill)
            }
        }
        return kills
    }

    private static func records() -> [String] {
        let log = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard log >= 0 else { return [] }
        defer { close(log) }
        var records: [String] = []
        var buffer = [UInt8](repeating: 0, count: largestRecord)
        for _ in 0..<mostRecords {
            let count = read(log, &buffer, buffer.count)
            // EPIPE: records were overwritten meanwhile; the next read goes on behind them.
            if count < 0, errno == EPIPE || errno == EINTR { continue }
            guard count > 0 else { break }
            let text = String(decoding: buffer[..<count], as: UTF8.self)
            if text.contains("oom-kill:") || text.contains("Killed process") { records.append(text) }
        }
        return records
    }
}

extension MemoryKill {
    /// From `1234 (name) total-vm:1kB, anon-rss:2kB, file-rss:3kB, shmem-rss:4kB, …`.
    fileprivate init?(_ text: Substring) {
        // The name may hold anything, a parenthesis too: its end is the last one.
        guard let open = text.firstIndex(of: "("), let end = text.lastIndex(of: ")"), open < end else { return nil }
        var bytes: UInt64 = 0
        for field in text[end...].split(separator: " ") {
            let parts = field.split(separator: ":")
            guard parts.count == 2, parts[0].hasSuffix("-rss") else { continue }
            bytes += (UInt64(parts[1].prefix { $0.isNumber }) ?? 0) << 10
        }
        self.init(name: String(text[text.index(after: open)..<end].prefix(64)), residentBytes: bytes)
    }
}
