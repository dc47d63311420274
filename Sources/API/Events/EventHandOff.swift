/// Hands events from the one who has them to the one who writes them, one at a time: a client that does not read
/// holds up the reading of its own stream, whose bound is the supervisor's, and nothing piles up here.
actor EventHandOff<Element: Sendable> {
    enum Item: Sendable {
        case event(Element)
        /// Nothing came for an interval.
        case quiet
        case end
    }

    private var slot: Element?
    private var finished = false
    private var closed = false
    private var taker: CheckedContinuation<Item, Never>?
    private var giver: CheckedContinuation<Void, Never>?

    func put(_ element: Element) async {
        guard !closed else { return }
        if let taker {
            self.taker = nil
            taker.resume(returning: .event(element))
            return
        }
        slot = element
        await withCheckedContinuation { giver = $0 }
    }

    /// No more events will be put.
    func finish() {
        finished = true
        resume(.end)
    }

    func tick() { resume(.quiet) }

    private func resume(_ item: Item) {
        taker?.resume(returning: item)
        taker = nil
    }

    func next() async -> Item {
        if closed { return .end }
        if let element = slot {
            slot = nil
            giver?.resume()
            giver = nil
            return .event(element)
        }
        if finished { return .end }
        return await withCheckedContinuation { taker = $0 }
    }

    /// Ends both sides at once. May be called twice.
    func close() {
        closed = true
        slot = nil
        giver?.resume()
        giver = nil
        resume(.end)
    }
}
