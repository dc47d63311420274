/// Modes of a terminal that its screen does not show, and that a client must have to go on: libvterm does not tell them.
struct TerminalModes: Equatable {
    /// DEC private modes that are restored, besides those below.
    static let tracked: Set<Int> = [
        1, 5, 9, 45, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 2004, 2026, 2031,
    ]
    static let mouse: Set<Int> = [9, 1000, 1001, 1002, 1003]

    /// The tracked private modes that are set.
    private(set) var set: Set<Int> = []
    var origin = false
    var autowrap = true
    var insert = false
    var newline = false
    var cursorVisible = true
    var keypad = false
    /// DECSCUSR; 0 is the terminal's own.
    var cursorStyle = 0
    /// Scrolling region, rows from 0; nil is the whole screen.
    var region: Range<Int>?
    /// Kitty keyboard flags, pushed; the last is in force.
    private(set) var keyboard: [Int] = []
    /// xterm's modifyOtherKeys.
    var otherKeys = 0
    /// What is designated as G0 and G1; `B` is ASCII.
    var charsets: [UInt8] = [0x42, 0x42]
    /// G1 is shifted in (SO).
    var shifted = false

    mutating func setPrivate(_ mode: Int, _ on: Bool) {
        switch mode {
        case 6: origin = on
        case 7: autowrap = on
        case 25: cursorVisible = on
        case 66: keypad = on
        default:
            guard Self.tracked.contains(mode) else { return }
            if on {
                // Mouse protocols replace each other.
                if Self.mouse.contains(mode) { set.subtract(Self.mouse) }
                set.insert(mode)
            } else {
                set.remove(mode)
            }
        }
    }

    mutating func pushKeyboard(_ flags: Int) {
        if keyboard.count >= 16 { keyboard.removeFirst() }
        keyboard.append(flags & 0x1F)
    }

    mutating func popKeyboard(_ count: Int) { keyboard.removeLast(min(max(count, 1), keyboard.count)) }

    mutating func setKeyboard(_ flags: Int, how: Int) {
        let current = keyboard.last ?? 0
        let next = how == 2 ? current | flags : how == 3 ? current & ~flags : flags
        if keyboard.isEmpty { pushKeyboard(next) } else { keyboard[keyboard.count - 1] = next & 0x1F }
    }

    /// DECSTR.
    mutating func softReset() {
        origin = false
        autowrap = true
        insert = false
        cursorVisible = true
        keypad = false
        region = nil
        charsets = [0x42, 0x42]
        shifted = false
        set.remove(1)
    }

    /// Appends what brings a fresh terminal into these modes, but for the cursor's visibility and origin mode, which
    /// go with the cursor.
    func restore(into output: inout [UInt8]) {
        func append(_ text: String) { output += text.utf8 }
        if let region { append("\u{1B}[\(region.lowerBound + 1);\(region.upperBound)r") }
        if charsets[0] != 0x42 { output += [0x1B, 0x28, charsets[0]] }
        if charsets[1] != 0x42 { output += [0x1B, 0x29, charsets[1]] }
        if shifted { output.append(0x0E) }
        if insert { append("\u{1B}[4h") }
        if newline { append("\u{1B}[20h") }
        if !autowrap { append("\u{1B}[?7l") }
        if keypad { append("\u{1B}=") }
        for mode in set.sorted() { append("\u{1B}[?\(mode)h") }
        for flags in keyboard { append("\u{1B}[>\(flags)u") }
        if otherKeys != 0 { append("\u{1B}[>4;\(otherKeys)m") }
        if cursorStyle != 0 { append("\u{1B}[\(cursorStyle) q") }
    }
}
