import CLinux
import Dispatch
import Glibc
import NIOCore

/// Says that something changed in watched files or directories of the home (inotify). What changed is not told:
/// whoever listens looks again.
final class DirectoryWatch {
    private let inotify: Int32
    private let source: any DispatchSourceRead
    private let home: HomeDirectory
    private var watches: [String: Int32] = [:]

    init(home: HomeDirectory, on loop: any EventLoop, onChange: @escaping () -> Void) throws(SystemCallError) {
        let inotify = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard inotify >= 0 else { throw SystemCallError("inotify_init1", errno) }
        self.inotify = inotify
        self.home = home
        let bound = NIOLoopBound(onChange, eventLoop: loop)
        let source = DispatchSource.makeReadSource(fileDescriptor: inotify, queue: .global())
        source.setEventHandler {
            var buffer = [UInt8](repeating: 0, count: 16 * 1024)
            while Glibc.read(inotify, &buffer, buffer.count) > 0 {}
            loop.execute { bound.value() }
        }
        self.source = source
        source.activate()
    }

    /// Watches a path relative to the home, or again after it was replaced. False when it is not there.
    @discardableResult
    func watch(_ path: String, for events: UInt32) -> Bool {
        guard let target = try? home.open(path, RK_O_PATH) else { return false }
        defer { close(target) }
        // Adding the same inode again gives the same number.
        let watch = inotify_add_watch(inotify, "/proc/self/fd/\(target)", events)
        guard watch >= 0 else { return false }
        if let old = watches.updateValue(watch, forKey: path), old != watch { inotify_rm_watch(inotify, old) }
        return true
    }

    func stop() {
        source.cancel()
    }

    static let directoryEvents = UInt32(
        IN_CREATE | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM)
    static let fileEvents = UInt32(IN_MODIFY)
}
