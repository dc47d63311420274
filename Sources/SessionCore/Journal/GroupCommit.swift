import Dispatch
import Glibc
import NIOCore

/// Brings what was written to the disk, on a thread of its own: everything asked for while one sync runs is covered by
/// the next.
///
/// Belongs to the journal's event loop; only ``CommitJob`` crosses to the thread.
final class GroupCommit {
    /// The longest that anything written is not asked to be on the disk.
    static let interval = TimeAmount.seconds(1)
    /// So many bytes are not left to the interval.
    private static let most = 8 << 20

    /// Everything through this number is on the disk.
    private(set) var durable: UInt64
    /// What is to be synced next.
    private var next = CommitJob()
    private var written: UInt64
    private var bytes = 0
    private var asked: UInt64
    private var waiting: CircularBuffer<(seq: UInt64, done: () -> Void)> = []
    private var isRunning = false
    private var isAbandoned = false
    private var timer: Scheduled<Void>?

    private let loop: any EventLoop
    private let queue: DispatchQueue
    private let disk: JournalDisk
    private let directory: JournalDirectory
    /// The disk failed; it is tried again when ``retry()`` says so.
    private var failed: CommitJob?
    /// Told of every failure, and of the success after one.
    var onResult: (LogStall?) -> Void = { _ in }

    init(
        from durable: UInt64, in directory: JournalDirectory, on loop: any EventLoop, queue: DispatchQueue,
        disk: JournalDisk
    ) {
        self.durable = durable
        self.written = durable
        self.asked = durable
        self.directory = directory
        self.loop = loop
        self.queue = queue
        self.disk = disk
    }

    /// A record is in a file.
    func wrote(_ seq: UInt64, to writer: SegmentWriter, bytes count: Int, atOnce: Bool) {
        written = seq
        next.current = CommitJob.File(descriptor: writer.file, length: writer.position)
        bytes += count
        if atOnce || bytes > Self.most {
            asked = seq
            start()
        } else if timer == nil {
            timer = loop.assumeIsolated().scheduleTask(in: Self.interval) { [weak self] in
                guard let self else { return }
                self.timer = nil
                self.asked = self.written
                self.start()
            }
        }
    }

    /// A segment is full; nothing is written to it any more.
    func finished(_ writer: SegmentWriter) {
        next.full.append(CommitJob.File(descriptor: writer.file, length: writer.position))
        next.current = nil
        next.directory = true
    }

    /// A segment was made.
    func made() { next.directory = true }

    func when(_ seq: UInt64, _ done: @escaping () -> Void) {
        guard seq > durable else { return done() }
        waiting.append((seq, done))
        asked = max(asked, seq)
        start()
    }

    /// Tries again what failed.
    func retry() {
        guard failed != nil else { return }
        start(retrying: true)
    }

    /// Closes what is open, after the syncs that are under way.
    func abandon(_ writer: SegmentWriter) {
        timer?.cancel()
        // A sync that is under way ends after this. What it would begin then would close these files a second time, and
        // their numbers may be somebody else's by then.
        isAbandoned = true
        let files = next.full.map(\.descriptor) + [writer.file]
        queue.async { for file in files { close(file) } }
    }

    private func start(retrying: Bool = false) {
        guard !isRunning, !isAbandoned, asked > durable, failed == nil || retrying else { return }
        isRunning = true
        timer?.cancel()
        timer = nil
        bytes = 0
        let through = written
        var job = next
        next = CommitJob(current: job.current)
        if let failed { job = failed.joined(with: job) }
        let rewrites = failed != nil
        let this = NIOLoopBound(self, eventLoop: loop)
        let (loop, disk, directory, waits) = (loop, disk, directory, job)
        queue.async {
            let failure = waits.run(disk, directory, rewriting: rewrites)
            loop.execute { this.value.ended(waits, through: through, failure) }
        }
    }

    private func ended(_ job: CommitJob, through seq: UInt64, _ failure: Int32) {
        isRunning = false
        guard failure == 0 else {
            failed = job
            return onResult(LogStall(errno: failure))
        }
        let recovered = failed != nil
        failed = nil
        durable = seq
        if recovered { onResult(nil) }
        while let first = waiting.first, first.seq <= durable {
            waiting.removeFirst()
            first.done()
        }
        start()
    }
}

/// Files to bring to the disk.
struct CommitJob: Sendable {
    struct File: Sendable {
        var descriptor: Int32
        var length: Int
    }

    /// Those that are full, in their order: closed once they are on the disk.
    var full: [File] = []
    var current: File?
    /// A name in the directory is new.
    var directory = false

    func joined(with later: CommitJob) -> CommitJob {
        // What was current may be full by now.
        CommitJob(full: full + later.full, current: later.current, directory: directory || later.directory)
    }

    /// 0 or errno. After an error nothing may be taken to be on the disk: the kernel forgets which pages it could not
    /// write, so the next attempt gives all of them to it anew.
    func run(_ disk: JournalDisk, _ folder: JournalDirectory, rewriting: Bool) -> Int32 {
        for file in full + [current].compactMap({ $0 }) {
            if rewriting, let failure = Self.rewrite(file, disk) { return failure }
            let failure = disk.sync(file.descriptor)
            if failure != 0 { return failure }
        }
        if directory {
            let failure = folder.sync()
            if failure != 0 { return failure }
        }
        for file in full {
            // Gives back what was allocated ahead.
            _ = ftruncate(file.descriptor, off_t(file.length))
            close(file.descriptor)
        }
        return 0
    }

    private static func rewrite(_ file: File, _ disk: JournalDisk) -> Int32? {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 16)
        defer { buffer.deallocate() }
        var offset = 0
        while offset < file.length {
            let count = pread(
                file.descriptor, buffer.baseAddress, min(buffer.count, file.length - offset), off_t(offset))
            guard count > 0 else { return count < 0 ? errno : EIO }
            var part = iovec(iov_base: buffer.baseAddress, iov_len: count)
            let written = disk.write(file.descriptor, &part, 1, off_t(offset))
            guard written > 0 else { return written < 0 ? Int32(-written) : EIO }
            offset += written
        }
        return nil
    }
}
