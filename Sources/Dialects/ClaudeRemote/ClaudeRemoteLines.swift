/// Makes the complete lines of a log out of terminal output that comes in pieces, without escape sequences; what has no
/// end yet waits for it.
public struct ClaudeRemoteLines: Sendable {
    /// Characters of one line; what is longer is cut there.
    public static let longest = 4096

    private enum State { case text, escape, control, string, last }

    private var line = ""
    private var state = State.text

    public init() {}

    public mutating func feed(_ output: String) -> [String] {
        var lines: [String] = []
        for scalar in output.unicodeScalars {
            switch state {
            case .text:
                switch scalar {
                case "\u{1B}": state = .escape
                case "\n": lines.append(take())
                case "\r", "\u{7}", "\u{8}": break
                case _ where scalar.value < 0x20 && scalar != "\t": break
                default:
                    line.unicodeScalars.append(scalar)
                    if line.unicodeScalars.count >= Self.longest { lines.append(take()) }
                }
            case .escape:
                switch scalar {
                case "[": state = .control
                case "]", "P", "_", "^", "X": state = .string
                // One more character follows, such as a character set's.
                case "(", ")", "*", "+", "#", "%", " ": state = .last
                default: state = .text
                }
            case .control: if (0x40...0x7E).contains(scalar.value) { state = .text }
            case .string:
                if scalar == "\u{7}" { state = .text } else if scalar == "\u{1B}" { state = .last }
            case .last: state = .text
            }
        }
        return lines
    }

    /// What has no end, when nothing follows.
    public mutating func finish() -> String? {
        state = .text
        return line.isEmpty ? nil : take()
    }

    private mutating func take() -> String {
        defer { line = "" }
        return line
    }
}
