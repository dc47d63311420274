import CLinux
import Glibc

/// What a launcher tells its guardian of its work: that there was some. Both hold the same pipe, and whichever of them is
/// killed, the other hands it to the next.
public struct AnswerNotes: Sendable {
    /// Both ends of the pipe in one (fifo(7)), which never waits.
    public let descriptor: Int32

    /// Those that another process has too.
    public init(descriptor: Int32) { self.descriptor = descriptor }

    /// New ones, closed on exec; nil without descriptors.
    public init?() {
        var ends: [Int32] = [-1, -1]
        guard rk_pipe(&ends) >= 0 else { return nil }
        defer { ends.forEach { close($0) } }
        descriptor = open("/proc/self/fd/\(ends[0])", O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
    }

    /// A request was carried out. A pipe that is full says enough.
    func add() {
        var byte: UInt8 = 1
        _ = write(descriptor, &byte, 1)
    }

    /// Whether there were any since this was last asked.
    public func take() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 4096)
        var any = false
        while read(descriptor, &bytes, bytes.count) > 0 { any = true }
        return any
    }
}
