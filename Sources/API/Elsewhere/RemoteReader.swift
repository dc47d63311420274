import SessionCore

/// One reader's way through the log of a session whose program runs elsewhere: as fast as it reads, from the log itself, so
/// that one that is slow holds up nobody and nothing piles up for it.
actor RemoteReader {
    private let stream: RemoteStream
    /// Rings when there may be more, and ends with the log.
    private let bell: AsyncStream<Void>
    private var since: UInt64
    private var page: ArraySlice<SessionEvent> = []

    init(_ stream: RemoteStream, since: UInt64, bell: AsyncStream<Void>) {
        self.stream = stream
        self.since = since
        self.bell = bell
    }

    func next() async -> SessionEvent? {
        while !Task.isCancelled {
            if let event = page.popFirst() { return event }
            guard let (events, next) = await stream.page(after: since) else { return nil }
            since = max(since, next)
            page = events[...]
            guard page.isEmpty else { continue }
            var bells = bell.makeAsyncIterator()
            guard await bells.next(isolation: #isolation) != nil else { return nil }
        }
        return nil
    }
}
