import ClaudeCode
import Foundation
import Glibc
import WorkerControl

/// What people had said to a session by the end of its transcript, and the commands that they had given: those leave nothing
/// there, and are in the CLI's history.
struct EarlierPrompts {
    private var texts: [String] = []

    /// How much of the end of a file is looked at.
    private static let most = 8 << 20

    /// - Parameters:
    ///   - absolutePath: of the transcript, as seen inside the sandbox.
    ///   - since: what was said before does not count.
    init(in home: HomeDirectory, absolutePath: String, since: Date) {
        guard let path = HomeDirectory.relative(absolutePath) else { return }
        // The clocks are the same, but a text may have been taken before its record was dated.
        let since = since.addingTimeInterval(-1)
        for line in Self.lines(of: path, in: home) {
            let line = TranscriptLine(parsing: line)
            if let time = line.time, time < since { continue }
            for item in line.items {
                switch item {
                case .userText(let text), .absorbedText(let text): texts.append(Self.plain(text))
                default: break
                }
            }
        }
        for line in Self.lines(of: SubmittedLine.path, in: home) {
            guard let submitted = SubmittedLine(parsing: line), submitted.isCommand, submitted.time >= since else {
                continue
            }
            texts.append(Self.plain(submitted.text))
        }
    }

    private static func lines(of path: String, in home: HomeDirectory) -> [Data] {
        home.end(of: path, limit: most)?.split(separator: UInt8(ascii: "\n")) ?? []
    }

    /// - Parameter asPart: the line may hold more than the text.
    func contain(_ text: String, asPart: Bool) -> Bool {
        let wanted = Self.plain(text)
        return texts.contains { $0 == wanted || asPart && $0.contains(wanted) }
    }

    /// Without what a terminal changes.
    private static func plain(_ text: String) -> String {
        String(decoding: text.utf8.filter { $0 > 0x20 && $0 != 0x7f }, as: UTF8.self)
    }
}
