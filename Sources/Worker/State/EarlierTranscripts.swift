import Glibc

/// What earlier incarnations had written to the session's transcript when this one began, before its command ran. The
/// transcript's name comes later, on the terminal, and by then the CLI may have written to it.
struct EarlierTranscripts {
    /// The CLI is started with the session's id for its own, and calls the transcript by it.
    private let name: String
    /// Sizes in bytes by inode; nil when there was too much to look at, and so nothing is known.
    private let sizes: [ino_t: Int]?

    /// Where the CLI keeps its transcripts, one directory a project, relative to the home.
    static let directory = ".claude/projects"
    private static let mostProjects = 256

    init(of sessionID: String, in home: HomeDirectory) {
        name = "\(sessionID).jsonl"
        let projects = home.names(in: Self.directory, limit: Self.mostProjects)
        guard projects.count < Self.mostProjects else {
            sizes = nil
            return
        }
        var sizes: [ino_t: Int] = [:]
        for project in projects {
            guard let file = try? home.openRegular("\(Self.directory)/\(project)/\(name)") else { continue }
            sizes[file.inode] = file.size
            close(file.descriptor)
        }
        self.sizes = sizes
    }

    /// How much of a transcript, relative to the home, is not this incarnation's. A transcript of another name is one that
    /// was taken up by hand: it is named before anything new is in it.
    func size(of path: String, inode: ino_t, now: Int) -> Int {
        guard let sizes, path.hasPrefix(Self.directory + "/"), path.hasSuffix("/" + name) else { return now }
        return min(sizes[inode] ?? 0, now)
    }
}
