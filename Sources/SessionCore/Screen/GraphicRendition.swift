/// Rewrites SGR (`CSI … m`) for libvterm 0.1: what it misreads is taken out, and dim, which it lacks, becomes a font.
enum GraphicRendition {
    /// SGR 11, alternate font 1, stands for dim.
    static let dimFont = 1

    /// Appends equivalent sequences, each with few parameters.
    static func rewrite(_ sequence: ControlSequence, into output: inout [UInt8]) {
        let parameters = sequence.parameters
        guard !parameters.isEmpty else {
            append("0", to: &output)
            return
        }
        var index = 0
        while index < parameters.count {
            var end = index + 1
            while end < parameters.count, sequence.continues(end) { end += 1 }
            let code = max(parameters[index], 0)
            if code == 38 || code == 48 || code == 58 {
                let (color, next) = color(parameters, from: index, to: end)
                if let color, code != 58 { append("\(code);\(color)", to: &output) }
                index = next
                continue
            }
            append(code, style: end > index + 1 ? parameters[index + 1] : nil, to: &output)
            index = end
        }
    }

    private static func append(_ code: Int, style: Int?, to output: inout [UInt8]) {
        switch code {
        case 2: append("11", to: &output)
        case 22: append("22;10", to: &output)
        case 4:
            guard let style else { return append("4", to: &output) }
            append(style <= 0 ? "24" : style <= 3 ? "4:\(style)" : "4", to: &output)
        case 0, 1, 3, 5, 7, 9, 21, 23, 24, 25, 27, 29, 30...37, 39, 40...47, 49, 90...97, 100...107:
            append("\(code)", to: &output)
        case 6: append("5", to: &output)
        default: break
        }
    }

    /// A colour's parameters after 38, 48 or 58, in either notation, and where the next attribute starts.
    private static func color(_ parameters: [Int], from index: Int, to end: Int) -> (String?, Int) {
        func byte(_ index: Int) -> Int { min(max(parameters[index], 0), 255) }
        if end > index + 1 {
            // 38:5:n, 38:2:r:g:b, or 38:2:colourspace:r:g:b
            let count = end - index
            if parameters[index + 1] == 5, count >= 3 { return ("5;\(byte(index + 2))", end) }
            if parameters[index + 1] == 2, count >= 5 {
                let red = count >= 6 ? index + 3 : index + 2
                return ("2;\(byte(red));\(byte(red + 1));\(byte(red + 2))", end)
            }
            return (nil, end)
        }
        guard index + 1 < parameters.count else { return (nil, parameters.count) }
        switch parameters[index + 1] {
        case 5:
            guard index + 2 < parameters.count else { return (nil, parameters.count) }
            return ("5;\(byte(index + 2))", index + 3)
        case 2:
            guard index + 4 < parameters.count else { return (nil, parameters.count) }
            return ("2;\(byte(index + 2));\(byte(index + 3));\(byte(index + 4))", index + 5)
        default: return (nil, index + 2)
        }
    }

    private static func append(_ parameters: String, to output: inout [UInt8]) {
        output += [0x1B, 0x5B]
        output += parameters.utf8
        output.append(0x6D)
    }
}
