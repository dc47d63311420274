import Foundation

/// Text as a person must see it before saying yes to it: whole, and without anything that is not seen or that makes other
/// characters be seen elsewhere.
public enum VisibleText {
    /// The text with control, direction and other invisible characters written as `\u{…}`. Line ends stay; a tab and a
    /// carriage return are `\t` and `\r`.
    public static func of(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isHidden) else { return text }
        var visible = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\t": visible += "\\t"
            case "\r": visible += "\\r"
            case _ where isHidden(scalar): visible += "\\u{\(String(scalar.value, radix: 16))}"
            default: visible.unicodeScalars.append(scalar)
            }
        }
        return visible
    }

    /// A tool's input as lines of `name: value`, what matters most first; everything of it is there.
    public static func of(input: JSONValue) -> String {
        guard case .object(let members) = input else { return line(of: input) }
        return members.sorted { rank($0.key) < rank($1.key) }
            .map { name, value in
                let text = line(of: value)
                // A text of several lines begins below its name, so that no line of it can pass for another member.
                let shown = text.contains("\n") ? "\n" + indented(text) : " " + text
                return of(name) + ":" + shown
            }
            .joined(separator: "\n")
    }

    private static let first = ["command", "file_path", "path", "url", "query", "questions", "plan"]

    private static func rank(_ name: String) -> (Int, String) {
        (first.firstIndex(of: name) ?? first.count, name)
    }

    private static func line(of value: JSONValue) -> String {
        if let text = value.string { return of(text) }
        return of(String(decoding: (try? JSONEncoder.rookery.encode(value)) ?? Data(), as: UTF8.self))
    }

    private static func indented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 }.joined(separator: "\n")
    }

    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == "\n" || scalar == " " { return false }
        if scalar.value < 0x7F, scalar.value >= 0x20 { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .privateUse, .unassigned,
            .surrogate:
            return true
        default: return scalar.properties.isDefaultIgnorableCodePoint
        }
    }
}
