/// A hook's report that waits for its answer. The CLI may wait for long, and may stop to.
final class HookCall {
    private var respond: ((PlainResponse) -> Void)?
    /// Called when the CLI has stopped waiting.
    var onGone: (() -> Void)?

    init(respond: @escaping (PlainResponse) -> Void) { self.respond = respond }

    var isWaiting: Bool { respond != nil }

    /// Answers, once.
    func answer(_ response: PlainResponse) {
        let respond = self.respond
        self.respond = nil
        onGone = nil
        respond?(response)
    }

    func gone() {
        respond = nil
        let onGone = self.onGone
        self.onGone = nil
        onGone?()
    }
}
