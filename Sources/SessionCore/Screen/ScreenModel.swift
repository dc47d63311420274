import CVTerm
public import NIOCore

/// Where a screen's cursor is, from 0.
public struct ScreenCursor: Sendable, Hashable {
    public var row: Int
    public var col: Int
    public var visible: Bool

    public init(row: Int, col: Int, visible: Bool) {
        self.row = row
        self.col = col
        self.visible = visible
    }
}

/// What a terminal of the session's size shows now, after everything the session wrote. Belongs to one event loop.
///
/// libvterm keeps the grid; it gets only what ``OutputParser`` let through. Modes and title are kept here.
/// It draws 0.5 to 20 MB/s, far less than a terminal delivers, so output waits until somebody looks or much has
/// come, and lines that were scrolled away by then are not drawn at all.
public final class ScreenModel {
    public private(set) var size: TerminalSize
    /// The title that the session set (OSC 0 or 2), at most 256 characters.
    public var title: String? {
        draw()
        return currentTitle
    }

    private let terminal: OpaquePointer
    private let state: OpaquePointer
    private let screen: OpaquePointer

    private var backlog = OutputBacklog()
    private var parser = OutputParser()
    var currentTitle: String?
    /// Text goes to nowhere: it has been scrolled away by the end of the backlog.
    var skipsText = false
    var modes = TerminalModes()
    var scrollback: CircularBuffer<[UInt8]> = []
    private let scrollbackLines: Int
    /// The primary screen while the alternate one shows: libvterm does not give it.
    var primary: Primary?
    private var replies: [UInt8] = []
    var scratch: [UInt8] = []
    /// The last character written, for REP.
    var last: [UInt8] = []

    struct Primary {
        var rows: [[UInt8]]
        var cursor: VTermPos
    }

    /// Replies are dropped beyond this many bytes, until they are taken.
    static let mostReplies = 4096
    /// As much output waits before it is drawn though nobody looks.
    static let largestBacklog = 128 * 1024
    /// libvterm keeps a slice's characters on the stack.
    private static let slice = 4096

    public init(size: TerminalSize, scrollbackLines: Int = 200) {
        self.size = size
        self.scrollbackLines = scrollbackLines
        guard let terminal = vterm_new(Int32(size.rows), Int32(size.cols)),
            let state = vterm_obtain_state(terminal), let screen = vterm_obtain_screen(terminal)
        else { fatalError("libvterm: out of memory") }
        self.terminal = terminal
        self.state = state
        self.screen = screen
        vterm_set_utf8(terminal, 1)
        let user = Unmanaged.passUnretained(self).toOpaque()
        vterm_output_set_callback(
            terminal,
            { bytes, count, user in
                guard let bytes, let user else { return }
                Unmanaged<ScreenModel>.fromOpaque(user).takeUnretainedValue()
                    .reply(UnsafeRawBufferPointer(start: bytes, count: count))
            }, user)
        vterm_screen_set_callbacks(screen, Self.callbacks, user)
        vterm_screen_enable_altscreen(screen, 1)
        vterm_screen_set_damage_merge(screen, VTERM_DAMAGE_SCREEN)
        vterm_screen_reset(screen, 1)
    }

    deinit { vterm_free(terminal) }

    /// libvterm keeps the address; the structure is never freed and never written again.
    private nonisolated(unsafe) static let callbacks: UnsafePointer<VTermScreenCallbacks> = {
        var callbacks = VTermScreenCallbacks()
        callbacks.sb_pushline = { count, cells, user in
            guard let cells, let user else { return 0 }
            Unmanaged<ScreenModel>.fromOpaque(user).takeUnretainedValue()
                .scrolledOff(UnsafeBufferPointer(start: cells, count: Int(count)))
            return 1
        }
        let pointer = UnsafeMutablePointer<VTermScreenCallbacks>.allocate(capacity: 1)
        pointer.initialize(to: callbacks)
        return UnsafePointer(pointer)
    }()

    // MARK: Input

    /// Takes terminal output; may split escape sequences and characters anywhere.
    public func feed(_ output: ByteBuffer) {
        output.withUnsafeReadableBytes { feed($0) }
    }

    /// The same for bytes in memory.
    public func feed(_ bytes: UnsafeRawBufferPointer) {
        backlog.append(bytes)
        if backlog.bytes.count >= Self.largestBacklog { draw() }
    }

    /// The terminal's size changed.
    public func resize(to size: TerminalSize) {
        guard size != self.size else { return }
        draw()
        write("\u{1B}7\u{1B}[r\u{1B}8")
        self.size = size
        modes.region = nil
        vterm_set_size(terminal, Int32(size.rows), Int32(size.cols))
    }

    // MARK: What it shows

    public var cursor: ScreenCursor {
        draw()
        let position = position
        return ScreenCursor(row: Int(position.row), col: Int(position.col), visible: modes.cursorVisible)
    }

    /// The session uses the alternate screen, as editors and pagers do.
    public var isAlternate: Bool {
        draw()
        return primary != nil
    }

    /// The session's terminal takes bracketed paste (mode 2004).
    public var takesBracketedPaste: Bool {
        draw()
        return modes.set.contains(2004)
    }

    /// One line a row, without trailing blanks, the trailing empty rows left out; joined by `\n`.
    public func text() -> String {
        var lines = self.lines()
        while lines.last == "" { lines.removeLast() }
        return lines.joined(separator: "\n")
    }

    /// The text of every row, without trailing blanks.
    public func lines() -> [String] {
        draw()
        return (0..<size.rows).map { row in withRow(row) { CellRow.text($0) } }
    }

    /// The last `count` lines that are not empty.
    public func lastLines(_ count: Int) -> String {
        lines().filter { !$0.isEmpty }.suffix(count).joined(separator: "\n")
    }

    /// Bytes that make a terminal of the same size show the same: they reset it, then paint scrollback, screen,
    /// cursor, title and modes. Hyperlinks, tab stops and double-height lines are not kept.
    public func snapshot() -> ByteBuffer {
        draw()
        var output: [UInt8] = []
        output.reserveCapacity(8192)
        output += "\u{1B}c".utf8
        for line in scrollback {
            output += line
            output += [0x0D, 0x0A]
        }
        if let primary {
            paint(primary.rows.prefix(size.rows), into: &output)
            output += "\u{1B}[\(primary.cursor.row + 1);\(primary.cursor.col + 1)H\u{1B}[?1049h\u{1B}[H".utf8
        }
        paint((0..<size.rows).map(ansiRow), into: &output)
        modes.restore(into: &output)
        if let currentTitle { output += "\u{1B}]2;\(currentTitle)\u{07}".utf8 }
        var position = position
        if modes.origin {
            output += "\u{1B}[?6h".utf8
            position.row = max(position.row - Int32(modes.region?.lowerBound ?? 0), 0)
        }
        output += "\u{1B}[\(position.row + 1);\(position.col + 1)H".utf8
        let pen = CellStyle(penOf: state)
        if pen != CellStyle() { pen.select(into: &output) }
        if !modes.cursorVisible { output += "\u{1B}[?25l".utf8 }
        return ByteBuffer(bytes: output)
    }

    /// What a terminal answers to the queries (device attributes, cursor position) in the output so far. For the
    /// session's input, when no attached client answers them itself; call it anyway, to drop them.
    public func takeReplies() -> ByteBuffer? {
        if backlog.mayAsk { draw() }
        guard !replies.isEmpty else { return nil }
        defer { replies.removeAll(keepingCapacity: true) }
        return ByteBuffer(bytes: replies)
    }

    // MARK: Inside

    /// Draws what waits.
    private func draw() {
        guard !backlog.bytes.isEmpty else { return }
        // Twice the screen: new lines are drawn over old ones first, and both must have left it.
        let dropped = backlog.dropped(drawing: 2 * size.rows + scrollbackLines + 1)
        backlog.bytes.withUnsafeBytes { bytes in
            guard let dropped else { return parser.parse(bytes, into: self) }
            parser.parse(UnsafeRawBufferPointer(rebasing: bytes[..<dropped.lowerBound]), into: self)
            skipsText = parser.isAtRest && modes.region == nil
            parser.parse(UnsafeRawBufferPointer(rebasing: bytes[dropped]), into: self)
            skipsText = false
            parser.parse(UnsafeRawBufferPointer(rebasing: bytes[dropped.upperBound...]), into: self)
        }
        backlog.drain(unfinished: !parser.isAtRest)
    }

    var position: VTermPos {
        var position = VTermPos()
        vterm_state_get_cursorpos(state, &position)
        position.row = min(max(position.row, 0), Int32(size.rows - 1))
        position.col = min(max(position.col, 0), Int32(size.cols - 1))
        return position
    }

    private func withRow<Result>(_ row: Int, _ body: (UnsafeBufferPointer<VTermScreenCell>) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: VTermScreenCell.self, capacity: size.cols) { cells in
            for col in 0..<size.cols {
                cells.initializeElement(at: col, to: VTermScreenCell())
                _ = vterm_screen_get_cell(
                    screen, VTermPos(row: Int32(row), col: Int32(col)), cells.baseAddress.map { $0 + col })
            }
            return body(UnsafeBufferPointer(cells))
        }
    }

    func ansiRow(_ row: Int) -> [UInt8] {
        withRow(row) { cells in
            var output: [UInt8] = []
            CellRow.ansi(cells, into: &output)
            return output
        }
    }

    private func paint(_ rows: some Collection<[UInt8]>, into output: inout [UInt8]) {
        var isFirst = true
        for row in rows {
            if !isFirst { output += [0x0D, 0x0A] }
            isFirst = false
            output += row
        }
    }

    private func reply(_ bytes: UnsafeRawBufferPointer) {
        if replies.count + bytes.count <= Self.mostReplies { replies += bytes }
    }

    private func scrolledOff(_ cells: UnsafeBufferPointer<VTermScreenCell>) {
        guard scrollbackLines > 0, primary == nil else { return }
        var line: [UInt8] = []
        if scrollback.count >= scrollbackLines { line = scrollback.removeFirst() }
        line.removeAll(keepingCapacity: line.capacity < 4096)
        CellRow.ansi(cells, into: &line)
        scrollback.append(line)
    }

    func write(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while let base = rest.baseAddress, !rest.isEmpty {
            let count = min(rest.count, Self.slice)
            vterm_input_write(terminal, base.assumingMemoryBound(to: CChar.self), count)
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    func write(_ text: String) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
    }
}
