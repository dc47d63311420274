import Foundation

/// Finds keywords in what the person typed. A keyword is a word of its own; its arguments follow on the same line,
/// each after one space. The last line that has it with valid arguments wins.
struct KeywordScanner {
    private let lines: [Substring]

    init(_ text: String) {
        lines = text.split(separator: "\n", omittingEmptySubsequences: true)
    }

    func contains(_ keyword: String) -> Bool {
        first(keyword) { rest in rest.first.map { !Self.isWord($0) } ?? true ? () : nil } != nil
    }

    /// `KEYWORD <rest of the line>`
    func line(_ keyword: String) -> String? {
        first(keyword) { rest in
            guard rest.first == " " else { return nil }
            let text = rest.dropFirst().trimmingCharacters(in: .whitespaces)
            return text.isEmpty ? nil : text
        }
    }

    /// `KEYWORD <word>`
    func word(_ keyword: String) -> String? {
        first(keyword) { Self.words($0).first.map(String.init) }
    }

    /// `KEYWORD <word> <rest of the line>`
    func wordAndLine(_ keyword: String) -> (word: String, rest: String)? {
        first(keyword) { rest in
            guard rest.first == " " else { return nil }
            let parts = rest.dropFirst().split(separator: " ", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            return (String(parts[0]), parts[1].trimmingCharacters(in: .whitespaces))
        }
    }

    /// `KEYWORD <count>`, at most `limit`.
    func count(_ keyword: String, limit: Int) -> Int? {
        first(keyword) { Self.words($0).first.flatMap { Self.number($0) }.map { min(Int($0), limit) } }
    }

    /// `KEYWORD <number> [<number>]`; the numbers may have a fraction.
    func numbers(_ keyword: String) -> (first: Double, second: Double?)? {
        first(keyword) { rest in
            let words = Self.words(rest)
            guard let one = words.first.flatMap({ Self.number($0) }) else { return nil }
            return (one, words.dropFirst().first.flatMap { Self.number($0) })
        }
    }

    private func first<Found>(_ keyword: String, _ arguments: (Substring) -> Found?) -> Found? {
        for line in lines.reversed() {
            var rest = line
            while let range = rest.range(of: keyword) {
                let before = range.lowerBound > line.startIndex ? line[line.index(before: range.lowerBound)] : " "
                if !Self.isWord(before), let found = arguments(line[range.upperBound...]) { return found }
                rest = rest[range.upperBound...]
            }
        }
        return nil
    }

    private static func isWord(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_"
    }

    private static func words(_ rest: Substring) -> [Substring] {
        guard rest.first == " " else { return [] }
        return rest.dropFirst().split(whereSeparator: \.isWhitespace)
    }

    /// A plain non-negative decimal number, with whatever punctuation follows it in a sentence left out.
    private static func number(_ word: Substring) -> Double? {
        let digits = word.prefix { ($0.isASCII && $0.isNumber) || $0 == "." }
        guard let value = Double(digits), value.isFinite, value <= 1e9 else { return nil }
        return value
    }
}
