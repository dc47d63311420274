import CVTerm

/// What the parser found in the session's output: kept here, or passed to libvterm in a form it can bear.
extension ScreenModel: OutputSink {
    func text(_ bytes: UnsafeRawBufferPointer) {
        if skipsText { return }
        if bytes.contains(where: { $0 == 0x0E || $0 == 0x0F }) {
            modes.shifted = bytes.last { $0 == 0x0E || $0 == 0x0F } == 0x0E
        }
        write(bytes)
        if let start = bytes.lastIndex(where: { $0 >= 0x20 && !(0x80..<0xC0).contains($0) }) {
            last = Array(bytes[start...].prefix { $0 >= 0x20 })
        }
    }

    /// REP, which libvterm 0.1 never ends when there is nothing to repeat.
    private func repeatLast(_ count: Int) {
        guard !last.isEmpty else { return }
        for _ in 0..<min(max(count, 1), size.cols) { last.withUnsafeBytes { write($0) } }
    }

    func escape(intermediate: UInt8, final: UInt8) {
        switch (intermediate, final) {
        case (0, 0x63):  // RIS
            if primary != nil { setPrivate(1047, false) }
            modes = TerminalModes()
            currentTitle = nil
            primary = nil
            scrollback.removeAll()
        case (0, 0x3D): modes.keypad = true
        case (0, 0x3E): modes.keypad = false
        case (0x28, _): modes.charsets[0] = final
        case (0x29, _): modes.charsets[1] = final
        // Index, next line, tab set, reverse index, save, restore, single shifts, alignment test.
        case (0, 0x44), (0, 0x45), (0, 0x48), (0, 0x4D), (0, 0x37), (0, 0x38), (0, 0x4E), (0, 0x4F), (0x23, 0x38): break
        default: return
        }
        scratch.removeAll(keepingCapacity: true)
        scratch.append(0x1B)
        if intermediate != 0 { scratch.append(intermediate) }
        scratch.append(final)
        writeScratch()
    }

    func control(_ sequence: ControlSequence) {
        switch (sequence.leader, sequence.intermediate, sequence.final) {
        case (0, 0, 0x6D):  // SGR
            scratch.removeAll(keepingCapacity: true)
            GraphicRendition.rewrite(sequence, into: &scratch)
            writeScratch()
        case (0x3F, 0, 0x68), (0x3F, 0, 0x6C):  // DECSET, DECRST
            for mode in sequence.parameters { setPrivate(mode, sequence.final == 0x68) }
        case (0, 0, 0x68), (0, 0, 0x6C):  // SM, RM
            for mode in sequence.parameters where mode == 4 || mode == 20 {
                if mode == 4 { modes.insert = sequence.final == 0x68 } else { modes.newline = sequence.final == 0x68 }
                write("\u{1B}[\(mode)\(sequence.final == 0x68 ? "h" : "l")")
            }
        case (0, 0, 0x72):  // DECSTBM
            let top = max(sequence.parameter(0, default: 1), 1) - 1
            let bottom = min(max(sequence.parameter(1, default: size.rows), 1), size.rows)
            guard top + 1 < bottom else { return }
            modes.region = top == 0 && bottom == size.rows ? nil : top..<bottom
            pass(sequence)
        case (0, 0, 0x73): write("\u{1B}7")
        case (0, 0, 0x75): write("\u{1B}8")
        case (0, 0, 0x4A) where sequence.parameter(0, default: 0) == 3: scrollback.removeAll()
        case (0, 0x21, 0x70):  // DECSTR
            modes.softReset()
            pass(sequence)
        case (0, 0x20, 0x71):  // DECSCUSR
            modes.cursorStyle = min(sequence.parameter(0, default: 0), 6)
            pass(sequence)
        case (0x3E, 0, 0x75): modes.pushKeyboard(sequence.parameter(0, default: 0))
        case (0x3C, 0, 0x75): modes.popKeyboard(sequence.parameter(0, default: 1))
        case (0x3D, 0, 0x75):
            modes.setKeyboard(sequence.parameter(0, default: 0), how: sequence.parameter(1, default: 1))
        case (0x3E, 0, 0x6D) where sequence.parameter(0, default: 0) == 4:
            modes.otherKeys = min(sequence.parameter(1, default: 0), 2)
        case (0x3E, 0, 0x6D), (0x3E, 0, 0x71), (0x3F, 0, 0x75), (0, 0, 0x74): break
        case (_, 0x27, _): break  // DECIC, DECDC
        case (0, 0, 0x62): repeatLast(sequence.parameter(0, default: 1))
        default: pass(sequence)
        }
    }

    func operatingSystemCommand(_ payload: [UInt8]) {
        guard payload.count >= 2, payload[0] == 0x30 || payload[0] == 0x32, payload[1] == 0x3B else { return }
        let text = String(decoding: payload[2...], as: UTF8.self).unicodeScalars
            .filter { $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) }
        currentTitle = String(String(String.UnicodeScalarView(text)).prefix(256))
    }

    private func setPrivate(_ mode: Int, _ on: Bool) {
        switch mode {
        case 47, 1047, 1049:
            guard on != (primary != nil) else { return }
            if on {
                // The rows are kept as they are now; libvterm hides them from here on.
                primary = Primary(rows: (0..<size.rows).map(ansiRow), cursor: position)
                write("\u{1B}[?\(mode == 47 ? 1047 : mode)h")
            } else {
                write("\u{1B}[?\(mode == 47 ? 1047 : mode)l")
                primary = nil
            }
        case 69:
            // Left and right margins: libvterm 0.1 leaves the grid with them when the size changes.
            break
        case 1, 5, 6, 7, 12, 25, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1048, 2004:
            modes.setPrivate(mode, on)
            write("\u{1B}[?\(mode)\(on ? "h" : "l")")
        default:
            modes.setPrivate(mode, on)
        }
    }

    /// Gives libvterm a sequence with as many parameters as it has room for.
    private func pass(_ sequence: ControlSequence) {
        guard sequence.continuations == 0 else { return }
        let largest = largestParameter(of: sequence)
        scratch.removeAll(keepingCapacity: true)
        scratch += [0x1B, 0x5B]
        if sequence.leader != 0 { scratch.append(sequence.leader) }
        for (index, parameter) in sequence.parameters.prefix(8).enumerated() {
            if index > 0 { scratch.append(0x3B) }
            if parameter != ControlSequence.missing { scratch += "\(min(parameter, largest))".utf8 }
        }
        if sequence.intermediate != 0 { scratch.append(sequence.intermediate) }
        scratch.append(sequence.final)
        writeScratch()
    }

    /// Counts beyond the grid mean the same as the grid's edge, but libvterm 0.1 does not stop there.
    private func largestParameter(of sequence: ControlSequence) -> Int {
        guard sequence.leader == 0, sequence.intermediate == 0 else { return 9999 }
        switch sequence.final {
        case 0x4C, 0x4D: return max((modes.region?.upperBound ?? size.rows) - Int(position.row), 1)  // IL, DL
        case 0x53, 0x54: return max(modes.region?.count ?? size.rows, 1)  // SU, SD
        case 0x40, 0x50, 0x58: return max(size.cols - Int(position.col), 1)  // ICH, DCH, ECH
        case 0x49, 0x5A: return size.cols  // CHT, CBT
        default: return 9999
        }
    }

    private func writeScratch() {
        scratch.withUnsafeBytes { write($0) }
    }
}
