public import SessionCore

/// A page of a session's past, from some event backwards.
public struct SessionHistory: Sendable {
    /// Oldest first.
    public var events: [SessionEvent]
    /// Events below this number are older than these; nil: there are none.
    public var before: UInt64?

    public init(events: [SessionEvent], before: UInt64?) {
        self.events = events
        self.before = before
    }
}
