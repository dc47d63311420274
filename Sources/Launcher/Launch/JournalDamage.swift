import Glibc
import WorkerControl

/// A worker that found its session's journal damaged: nothing of the session starts until somebody has looked.
struct JournalDamage {
    let text: String

    /// nil when the worker's line says something else.
    init?(line: String) {
        guard line.hasPrefix("error: the session's journal is damaged") else { return nil }
        text = String(line.dropFirst("error: ".count))
    }

    func failure(_ path: String) -> LaunchFailure {
        LaunchFailure(
            step: "journal", errno: EUCLEAN, message: text,
            remedy: "restore \(path) from a backup, or move its files elsewhere to go on without the session's past; "
                + "nothing was changed there")
    }
}
