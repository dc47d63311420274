import ClaudeCode
import Foundation
import Glibc

/// What earlier incarnations had written to the session's transcript when this one began, before its command ran. The
/// transcript's name comes later, on the terminal, and by then the CLI may have written to it.
struct EarlierTranscripts {
    /// The CLI is started with the session's id for its own, and calls the transcript by it.
    private let name: String
    /// Sizes in bytes by inode; nil when there was too much to look at, and so nothing is known.
    private let sizes: [ino_t: Int]?
    private let began: Date

    /// Where the CLI keeps its transcripts, one directory a project, relative to the home.
    static let directory = ".claude/projects"
    private static let mostProjects = 256
    /// How much of the end of a transcript of another name is looked at.
    private static let mostOfAnother = 1 << 20

    init(of sessionID: String, in home: HomeDirectory, at began: Date = Date()) {
        name = "\(sessionID).jsonl"
        self.began = began
        guard let paths = Self.paths(of: sessionID, in: home) else {
            sizes = nil
            return
        }
        var sizes: [ino_t: Int] = [:]
        for path in paths {
            guard let file = try? home.openRegular(path) else { continue }
            sizes[file.inode] = file.size
            close(file.descriptor)
        }
        self.sizes = sizes
    }

    /// Where a session's transcript may be, relative to the home; nil when there are too many projects.
    static func paths(of sessionID: String, in home: HomeDirectory) -> [String]? {
        let projects = home.names(in: directory, limit: mostProjects)
        return projects.count < mostProjects ? projects.map { "\(directory)/\($0)/\(sessionID).jsonl" } : nil
    }

    /// How much of a transcript, relative to the home, is not this incarnation's.
    func size(of path: String, _ file: Int32, inode: ino_t, now: Int) -> Int {
        if let sizes, path.hasPrefix(Self.directory + "/"), path.hasSuffix("/" + name) {
            return min(sizes[inode] ?? 0, now)
        }
        // One that was taken up by hand: its lines say when they were written.
        return beginning(in: file, size: now)
    }

    private func beginning(in file: Int32, size: Int) -> Int {
        let start = max(size - Self.mostOfAnother, 0)
        guard var rest = HomeDirectory.read(file, at: start, limit: Self.mostOfAnother)?[...] else { return size }
        var beginning = size
        while rest.last == UInt8(ascii: "\n") {
            rest.removeLast()
            let head = rest.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? rest.startIndex
            if let time = TranscriptLine(parsing: Data(rest[head...])).time {
                guard time >= began else { break }
                beginning = start + rest.distance(from: rest.startIndex, to: head)
            }
            rest = rest[..<head]
        }
        return beginning
    }
}
