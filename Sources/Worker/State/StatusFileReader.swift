import ClaudeCode
import Foundation
import SessionCore

/// Finds the session's own status file among those in the home: its tools may run further CLIs.
struct StatusFileReader {
    /// More files than this and the rest is not looked at.
    static let mostFiles = 64

    let home: HomeDirectory
    let sessionID: SessionID
    private var last: StatusFile?
    private var seen = false

    init(home: HomeDirectory, sessionID: SessionID) {
        self.home = home
        self.sessionID = sessionID
    }

    /// Reads the files again. nil when nothing changed or a file was read while it was being written.
    mutating func read() -> StateInput? {
        let names = home.names(in: HomeDirectory.statusDirectory, limit: Self.mostFiles)
            .filter { $0.hasSuffix(".json") }
        guard !names.isEmpty else {
            guard seen, last != nil else { return nil }
            last = nil
            return .statusFileGone
        }
        let files = names.compactMap { name in
            home.read("\(HomeDirectory.statusDirectory)/\(name)", limit: StatusFile.largest)
                .flatMap { StatusFile(parsing: $0) }
        }
        guard let best = files.max(by: { rank($0) < rank($1) }), best != last else { return nil }
        last = best
        seen = true
        return .statusFile(best)
    }

    /// The file with our session id first, then those of interactive CLIs, then the newest.
    private func rank(_ file: StatusFile) -> (Int, TimeInterval) {
        let isOurs = file.sessionID == sessionID.description
        // A person may switch to another conversation within the CLI: its process stays the one we followed.
        let isFollowed = file.pid != nil && file.pid == last?.pid
        let kind = isFollowed ? 4 : isOurs ? 2 : 0
        return (kind + (file.kind == "interactive" ? 1 : 0), file.updatedAt?.timeIntervalSince1970 ?? 0)
    }
}
