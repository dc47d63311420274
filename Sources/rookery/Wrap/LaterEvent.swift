extension AsyncStream.Continuation where Element: Sendable {
    /// Gives an event after a while, to whoever still reads.
    func yield(_ event: Element, after delay: Duration) {
        Task {
            try? await Task.sleep(for: delay)
            yield(event)
        }
    }
}
