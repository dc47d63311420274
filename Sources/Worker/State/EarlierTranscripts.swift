import Glibc

/// What earlier incarnations had written to the session's transcripts when this one began, before its command ran. The
/// transcript's name comes later, on the terminal, and by then the CLI may have written to it.
struct EarlierTranscripts {
    /// Sizes in bytes by inode; nil when there was too much to look at, and so nothing is known.
    private let sizes: [ino_t: Int]?

    /// Where the CLI keeps its transcripts, one directory a project, relative to the home.
    static let directory = ".claude/projects"
    private static let mostProjects = 256
    private static let mostFiles = 1024

    init(in home: HomeDirectory) {
        let projects = home.names(in: Self.directory, limit: Self.mostProjects)
        var sizes: [ino_t: Int]? = projects.count < Self.mostProjects ? [:] : nil
        for project in projects where sizes != nil {
            let names = home.names(in: "\(Self.directory)/\(project)", limit: Self.mostFiles)
            guard names.count < Self.mostFiles else {
                sizes = nil
                break
            }
            for name in names where name.hasSuffix(".jsonl") {
                guard let file = try? home.openRegular("\(Self.directory)/\(project)/\(name)") else { continue }
                sizes?[file.inode] = file.size
                close(file.descriptor)
            }
        }
        self.sizes = sizes
    }

    /// How much of a transcript, relative to the home, is not this incarnation's.
    func size(of path: String, inode: ino_t, now: Int) -> Int {
        guard let sizes, path.hasPrefix(Self.directory + "/") else { return now }
        return min(sizes[inode] ?? 0, now)
    }
}
