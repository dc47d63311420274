import Foundation
import SessionCore

/// Text of others without what would move the cursor or worse.
func printable(_ text: String) -> String {
    String(
        String.UnicodeScalarView(
            text.unicodeScalars.map { scalar in
                scalar == "\n" || scalar.value >= 0x20 && !(0x7f...0x9f).contains(scalar.value) ? scalar : "\u{fffd}"
            }))
}

/// Columns, as wide as their widest cell.
func table(_ header: [String], _ rows: [[String]]) -> String {
    let rows = ([header] + rows).map { $0.map { printable($0).replacing("\n", with: " ") } }
    let widths = header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
        let line = zip(row, widths).map { $0.padding(toLength: max($1, $0.count), withPad: " ", startingAt: 0) }
            .joined(separator: "  ")
        return String(line.reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
}

/// A document for a script.
func printJSON(_ value: JSONValue) throws {
    let encoder = JSONEncoder.rookery
    encoder.outputFormatting.insert(.prettyPrinted)
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
}

/// How long ago a time was: `42s`, `7m`, `3h`, `12d`.
func age(_ time: String?, now: Date = .now) -> String {
    guard let time, let date = try? Date(time, strategy: .rookery) else { return "-" }
    let seconds = Int(max(0, now.timeIntervalSince(date)))
    return switch seconds {
    case ..<60: "\(seconds)s"
    case ..<3600: "\(seconds / 60)m"
    case ..<86_400: "\(seconds / 3600)h"
    default: "\(seconds / 86_400)d"
    }
}
