import Yams

/// The YAML of one policy as a tree. Bounded before it is built: a file is at most ``PolicyStore/largestFile`` bytes,
/// libyaml refuses more than a thousand levels, and anchors, with which a few lines become a tree of any size, are
/// refused.
enum PolicyText {
    /// nil for a text without a document.
    static func root(of text: String, path: String) throws(FileFault) -> Node? {
        guard !text.unicodeScalars.contains(where: unusual.contains) else {
            throw FileFault(
                file: path, problem: "a line break other than a newline, or a byte order mark",
                remedy: "save the file as plain UTF-8 with newlines")
        }
        if let line = lineOfAnchor(in: text) {
            throw FileFault(
                file: path, line: line, problem: "an anchor: '&' before a name", remedy: "write the value out")
        }
        do {
            // What a plain word means is looked at where a value is read: most never are.
            return try Yams.compose(yaml: text, .basic)
        } catch let error as YamlError {
            throw fault(error, path: path)
        } catch {
            throw FileFault(file: path, problem: "is not YAML", remedy: "correct the file")
        }
    }

    private static func fault(_ error: YamlError, path: String) -> FileFault {
        func broken(_ problem: String, _ mark: Mark?) -> FileFault {
            FileFault(
                file: path, line: mark?.line, problem: "is not YAML: \(problem.prefix(200))",
                remedy: "correct the line; a policy is lines of 'key: value'")
        }
        switch error {
        case .duplicatedKeysInMapping(let duplicates, let context):
            let names = duplicates.prefix(5).map { "'\($0.prefix(64))'" }.joined(separator: ", ")
            return FileFault(
                file: path, line: context.mark.line, problem: "\(names) written twice", remedy: "keep one of them")
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return broken(problem, mark)
        case .reader(let problem, _, _, _): return broken(problem, nil)
        default: return broken("it cannot be read", nil)
        }
    }

    /// The first line with what looks like `&name` at the start of a word. An anchor can stand nowhere else, and
    /// without one there is no alias. Quotes and comments are not told apart: a text of that look is rare, and what is
    /// in quotes to one reader of YAML is not to another.
    static func lineOfAnchor(in text: String) -> Int? {
        var line = 1
        var previous = UInt8(ascii: "\n")
        var isCandidate = false
        for byte in text.utf8 {
            if isCandidate, isNameByte(byte) { return line }
            isCandidate = byte == UInt8(ascii: "&") && " \t\r\n[]{},:-?\"'".utf8.contains(previous)
            if byte == UInt8(ascii: "\n") { line += 1 }
            previous = byte
        }
        return nil
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
            || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
    }

    /// Line breaks of Unicode's and the byte order mark, which readers of YAML do not agree on.
    private static let unusual: Set<Unicode.Scalar> = ["\u{85}", "\u{2028}", "\u{2029}", "\u{feff}"]
}
