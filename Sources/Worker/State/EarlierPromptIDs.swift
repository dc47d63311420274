import ClaudeCode
import Foundation

/// Prompts that a session's transcript has, by their names.
enum EarlierPromptIDs {
    /// How much of the end is looked at.
    private static let most = 16 << 20

    enum Way { case input, channel }

    /// How the program was given one of them; nil: it was given none.
    /// - Parameter absolutePath: as seen inside the sandbox.
    static func way(ofAnyOf names: [String], in home: HomeDirectory, absolutePath: String) -> Way? {
        guard let path = HomeDirectory.relative(absolutePath), let data = home.end(of: path, limit: most) else {
            return nil
        }
        let isInput = names.contains { name in
            // The latter of one that was taken into a turn that ran.
            ["uuid", "source_uuid"].contains { data.range(of: Data("\"\($0)\":\"\(name)\"".utf8)) != nil }
        }
        return isInput ? .input : names.contains { wasNotified($0, data) } ? .channel : nil
    }

    /// One that waited in the CLI's own queue is not in its conversation.
    private static func wasNotified(_ name: String, _ transcript: Data) -> Bool {
        var rest = transcript[...]
        while let found = rest.range(of: Data("\(ChannelServer.idKey)=\\\"\(name)\\\"".utf8)) {
            let start = transcript[..<found.lowerBound].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 }
            let end = transcript[found.upperBound...].firstIndex(of: UInt8(ascii: "\n")) ?? transcript.endIndex
            let line = ChannelLine(parsing: Data(transcript[(start ?? transcript.startIndex)..<end]))
            if let line, line.ids.contains(name), line.place != .waits { return true }
            rest = transcript[end...]
        }
        return false
    }
}
