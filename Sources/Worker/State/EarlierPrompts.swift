import ClaudeCode
import Foundation
import Glibc
import WorkerControl

/// What people had said by the end of a session's transcript.
struct EarlierPrompts {
    private var texts: [String] = []

    /// How much of the end is looked at.
    private static let most = 8 << 20

    /// - Parameters:
    ///   - absolutePath: as seen inside the sandbox.
    ///   - since: what was said before does not count.
    init(in home: HomeDirectory, absolutePath: String, since: Date) {
        let prefix = SandboxLayout.home + "/"
        guard absolutePath.hasPrefix(prefix),
            let file = try? home.openRegular(String(absolutePath.dropFirst(prefix.count)))
        else { return }
        defer { close(file.descriptor) }
        let start = max(file.size - Self.most, 0)
        guard let data = HomeDirectory.read(file.descriptor, at: start, limit: Self.most) else { return }
        for line in data.split(separator: UInt8(ascii: "\n")) {
            // The clocks are the same, but a text may have been taken before its record was dated.
            if let time = TranscriptItem.time(ofLine: line), time < since.addingTimeInterval(-1) { continue }
            for case .userText(let text) in TranscriptItem.items(ofLine: line) { texts.append(Self.plain(text)) }
        }
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
