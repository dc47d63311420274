import CVTerm

/// Writing rows of libvterm's cells as text and as ANSI.
enum CellRow {
    /// The second half of a wide character.
    private static let continuation = UInt32.max

    /// Appends the row with its styles, ending in the default style, without trailing blanks that cannot be seen.
    static func ansi(_ cells: UnsafeBufferPointer<VTermScreenCell>, into output: inout [UInt8]) {
        var end = cells.count
        while end > 0, isBlank(cells[end - 1]), CellStyle(cells[end - 1]).isInvisibleOnBlank { end -= 1 }
        var style = CellStyle()
        for index in 0..<end {
            let cell = cells[index]
            guard cell.chars.0 != continuation else { continue }
            let next = CellStyle(cell)
            if next != style {
                next.select(into: &output)
                style = next
            }
            characters(of: cell, into: &output)
        }
        if style != CellStyle() { output += "\u{1B}[0m".utf8 }
    }

    /// The row as text without trailing blanks.
    static func text(_ cells: UnsafeBufferPointer<VTermScreenCell>) -> String {
        var end = cells.count
        while end > 0, isBlank(cells[end - 1]) { end -= 1 }
        var output: [UInt8] = []
        output.reserveCapacity(end)
        for index in 0..<end where cells[index].chars.0 != continuation {
            characters(of: cells[index], into: &output)
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func isBlank(_ cell: VTermScreenCell) -> Bool { cell.chars.0 == 0 || cell.chars.0 == 0x20 }

    private static func characters(of cell: VTermScreenCell, into output: inout [UInt8]) {
        if cell.chars.0 == 0 {
            output.append(0x20)
            return
        }
        if cell.chars.1 == 0, cell.chars.0 < 0x80 {
            output.append(UInt8(cell.chars.0))
            return
        }
        let chars = cell.chars
        for value in [chars.0, chars.1, chars.2, chars.3, chars.4, chars.5] {
            guard value != 0, let scalar = Unicode.Scalar(value) else { break }
            output += UTF8.encode(scalar).map(Array.init) ?? []
        }
    }
}
