import CLinux
import Foundation
import Glibc
import Policy
import Sandbox
import SessionCore

/// How much of what was written to a loop device may wait in memory: what the kernel keeps of it in
/// /sys/block/loop<N>/bdi (sysfs-class-bdi, Linux 6.2 and later). Past it, writers to that device wait, and they alone.
struct WriteBound {
    private let device: String

    private static let blocks = "/sys/block"

    init(loop index: UInt32, in blocks: String = Self.blocks) { device = "\(blocks)/loop\(index)" }

    private init(device: String) { self.device = device }

    /// That of the device on which a session's image is; nil while it is on none.
    init?(of id: SessionID, in disks: Directory) {
        guard let image = try? DiskImage.open(id, in: disks) else { return nil }
        var index: UInt32 = 0
        let found = rk_loop_find(image.file.number, &index)
        guard found >= 0 else { return nil }
        close(found)
        self.init(loop: index)
    }

    /// Sets the bound, or takes away what the device's last user left: it belongs to the device, not to what is on it.
    /// - Returns: why it does not hold; nil when it does.
    func set(_ bytes: ByteSize?) -> String? {
        Self.locked {
            guard let bytes else {
                lift()
                return nil
            }
            guard access("\(device)/bdi/max_bytes", F_OK) == 0 else {
                return "the kernel has no such bound: that takes Linux 6.2"
            }
            // Else it waits in the memory of the host's own filesystem instead.
            guard text("loop/dio") != "0" else {
                return "the filesystem of the state directory takes no direct I/O"
            }
            // Without the first the kernel heeds the second only when the whole machine has much to write.
            for (file, value) in [("strict_limit", "1"), ("max_bytes", "\(bytes.bytes)")] {
                let code = Self.write("\(device)/bdi/\(file)", value)
                if code != 0 { return "cannot write \(value) to \(device)/bdi/\(file): \(SystemError.reason(code))" }
            }
            return nil
        }
    }

    /// In bytes, as the kernel has it; nil when there is none.
    var bytes: UInt64? { isBound ? text("bdi/max_bytes").flatMap { UInt64($0) } : nil }

    private var isBound: Bool { text("bdi/strict_limit") == "1" }
    private var isInUse: Bool { access("\(device)/loop/backing_file", F_OK) == 0 }

    private func lift() {
        guard isBound else { return }
        _ = Self.write("\(device)/bdi/strict_limit", "0")
        _ = Self.write("\(device)/bdi/max_ratio", "100")
    }

    /// Lifts the bounds of devices that have no file any more: whoever gets one next, another program maybe, finds it as
    /// it was.
    static func liftUnused(in blocks: String = Self.blocks) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: blocks)) ?? []
        locked {
            for name in names where name.hasPrefix("loop") {
                let bound = WriteBound(device: "\(blocks)/\(name)")
                if bound.isBound, !bound.isInUse { bound.lift() }
            }
        }
    }

    /// The same once a device of which the last mount was just taken away has gone, waiting up to half a second.
    static func liftUnused(after index: UInt32) {
        let bound = WriteBound(loop: index)
        for _ in 0..<100 where bound.isBound && bound.isInUse { usleep(5000) }
        liftUnused()
    }

    /// Another launcher, or a command by hand, may just have taken a device that seemed unused.
    private static func locked<Result>(_ body: () -> Result) -> Result {
        let control = open("/dev/loop-control", O_RDONLY | O_CLOEXEC)
        defer { if control >= 0 { close(control) } }
        if control >= 0 { while flock(control, LOCK_EX) != 0, errno == EINTR {} }
        return body()
    }

    private func text(_ file: String) -> String? {
        (try? String(contentsOfFile: "\(device)/\(file)", encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func write(_ path: String, _ value: String) -> Int32 {
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return errno }
        defer { close(file) }
        return Glibc.write(file, value, value.utf8.count) < 0 ? errno : 0
    }
}
