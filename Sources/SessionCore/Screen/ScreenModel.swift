import CVTerm
public import NIOCore

/// Where a screen's cursor is, from 0.
public struct ScreenCursor: Sendable, Hashable {
    public var row: Int
    public var col: Int
    public var visible: Bool
}

/// What a terminal of the session's size shows now, after everything the session wrote. Belongs to one event loop.
public final class ScreenModel {
    public private(set) var size: TerminalSize
    public init(size: TerminalSize, scrollbackLines: Int = 200) { self.size = size }

    /// Takes terminal output; may split escape sequences and characters anywhere.
    public func feed(_ output: ByteBuffer) {}
    public func resize(to size: TerminalSize) { self.size = size }

    public var cursor: ScreenCursor { ScreenCursor(row: 0, col: 0, visible: true) }
    /// The title that the session set (OSC 0 or 2).
    public var title: String? { nil }
    public var isAlternate: Bool { false }

    /// One line a row, without trailing blanks, the trailing empty rows left out; joined by `\n`.
    public func text() -> String { "" }
    /// The last `count` lines that are not empty.
    public func lastLines(_ count: Int) -> String { "" }

    /// Bytes that make a fresh terminal of the same size show the same: scrollback, screen, cursor, title, modes.
    public func snapshot() -> ByteBuffer { ByteBuffer() }

    /// What a terminal answers to the queries (device attributes, cursor position) in the output so far. For the
    /// session's input, when no attached client answers them itself; call it anyway, to drop them.
    public func takeReplies() -> ByteBuffer? { nil }
}
