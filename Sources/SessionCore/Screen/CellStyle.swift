import CVTerm

/// How a cell is drawn, in a form that compares fast and writes itself as SGR.
struct CellStyle: Equatable {
    /// Bits: bold 0, dim 1, italic 2, blink 3, reverse 4, strike 5, underline 6-7.
    var attributes: UInt8 = 0
    /// 0 is the default; `0x01……ii` palette, `0x02rrggbb` direct.
    var foreground: UInt32 = 0
    var background: UInt32 = 0

    init() {}

    init(_ cell: VTermScreenCell) {
        self.init(
            bold: cell.attrs.bold != 0, font: Int(cell.attrs.font), italic: cell.attrs.italic != 0,
            blink: cell.attrs.blink != 0, reverse: cell.attrs.reverse != 0, strike: cell.attrs.strike != 0,
            underline: Int(cell.attrs.underline), foreground: cell.fg, background: cell.bg)
    }

    /// The pen of a state: what the next character will look like.
    init(penOf state: OpaquePointer) {
        func value(_ attribute: VTermAttr) -> VTermValue {
            var value = VTermValue()
            _ = vterm_state_get_penattr(state, attribute, &value)
            return value
        }
        self.init(
            bold: value(VTERM_ATTR_BOLD).boolean != 0, font: Int(value(VTERM_ATTR_FONT).number),
            italic: value(VTERM_ATTR_ITALIC).boolean != 0, blink: value(VTERM_ATTR_BLINK).boolean != 0,
            reverse: value(VTERM_ATTR_REVERSE).boolean != 0, strike: value(VTERM_ATTR_STRIKE).boolean != 0,
            underline: Int(value(VTERM_ATTR_UNDERLINE).number), foreground: value(VTERM_ATTR_FOREGROUND).color,
            background: value(VTERM_ATTR_BACKGROUND).color)
    }

    private init(
        bold: Bool, font: Int, italic: Bool, blink: Bool, reverse: Bool, strike: Bool, underline: Int,
        foreground: VTermColor, background: VTermColor
    ) {
        var bits: UInt8 = 0
        if bold { bits |= 1 }
        if font == GraphicRendition.dimFont { bits |= 2 }
        if italic { bits |= 4 }
        if blink { bits |= 8 }
        if reverse { bits |= 16 }
        if strike { bits |= 32 }
        bits |= UInt8(underline & 3) << 6
        self.attributes = bits
        self.foreground = Self.pack(foreground)
        self.background = Self.pack(background)
    }

    private static func pack(_ color: VTermColor) -> UInt32 {
        let type = UInt32(color.type)
        if type & UInt32(VTERM_COLOR_DEFAULT_MASK.rawValue) != 0 { return 0 }
        if type & UInt32(VTERM_COLOR_TYPE_MASK.rawValue) == UInt32(VTERM_COLOR_INDEXED.rawValue) {
            return 0x0100_0000 | UInt32(color.indexed.idx)
        }
        return 0x0200_0000 | UInt32(color.rgb.red) << 16 | UInt32(color.rgb.green) << 8 | UInt32(color.rgb.blue)
    }

    /// Nothing of a blank cell in this style is visible.
    var isInvisibleOnBlank: Bool { background == 0 && attributes & 0b1111_0000 == 0 }

    /// Appends the SGR that sets exactly this style, whatever was set before.
    func select(into output: inout [UInt8]) {
        output += "\u{1B}[0".utf8
        for (bit, code) in [(1, "1"), (2, "2"), (4, "3"), (8, "5"), (16, "7"), (32, "9")] as [(UInt8, String)]
        where attributes & bit != 0 {
            output.append(0x3B)
            output += code.utf8
        }
        switch attributes >> 6 {
        case 1: output += ";4".utf8
        case 2: output += ";21".utf8
        case 3: output += ";4:3".utf8
        default: break
        }
        Self.append(foreground, base: 30, into: &output)
        Self.append(background, base: 40, into: &output)
        output.append(0x6D)
    }

    private static func append(_ color: UInt32, base: Int, into output: inout [UInt8]) {
        let value = Int(color & 0xFF_FFFF)
        switch color >> 24 {
        case 1 where value < 8: output += ";\(base + value)".utf8
        case 1 where value < 16: output += ";\(base + 60 + value - 8)".utf8
        case 1: output += ";\(base + 8);5;\(value)".utf8
        case 2: output += ";\(base + 8);2;\(value >> 16);\(value >> 8 & 0xFF);\(value & 0xFF)".utf8
        default: break
        }
    }
}
