import Glibc
import Images
import Policy
import SessionCore
import WorkerControl

/// A sandbox with its worker and Claude Code in it, started under the id of a session that is not there yet.
struct Spare: Sendable {
    var id: SessionID
    var key: SparePool.Key
    var uidSlot: Int
    /// What it was made of.
    var ground: SpareGround
    var launched: LaunchedSession
    var madeAt: MonotonicTime
    /// While it is open, the worker waits; without it, the worker ends.
    var connection: WorkerConnection?
}

/// All that a start depends on. A session may have a spare when a cold start of it, under the spare's id, would have the
/// same: then nothing about the sandbox, the command, its arguments or its environment can tell that there was a spare.
struct SpareGround: Sendable, Hashable {
    var request: LaunchRequest
    /// Claude Code and the start command, by what is at their paths now.
    var programs: [FileIdentity?]
    /// The image's content; nil for the host's.
    var image: ImageDigest?
}

/// Which file is at a path, and whether it was written since.
struct FileIdentity: Sendable, Hashable {
    var device: UInt64
    var inode: UInt64
    var size: Int64
    var seconds: Int
    var nanoseconds: Int

    /// nil where there is none.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }
}
