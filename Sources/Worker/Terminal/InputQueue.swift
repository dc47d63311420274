import NIOCore

/// What goes to the terminal, in order: single keys at once, typed text one after the other with its pauses.
///
/// Keys that come while a text waits for its Enter wait too, or they would end up inside it.
final class InputQueue {
    /// Keys, then after a pause maybe Enter.
    struct Typing {
        var keys: ByteBuffer
        var enter: Bool
        /// Milliseconds between the keys and Enter, and after Enter.
        var pause: Int64
        /// Called when its turn has come, and says whether it is typed.
        var begin: () -> Beginning = { .type }
        /// Called when all of it is in the terminal, with `false` when the terminal is gone.
        var done: (Bool) -> Void
    }

    enum Beginning {
        case type
        /// It is not typed at all.
        case skip
        /// Not yet: ``resume()`` asks again.
        case wait
    }

    static let longestQueue = 256
    static let largestBacklog = 1 << 20

    private let loop: any EventLoop
    private let terminal: TerminalDevice
    private var waiting: CircularBuffer<Typing> = []
    private var waitingBytes = 0
    private var deferredKeys = ByteBuffer()
    /// A text is on its way into the terminal.
    private(set) var isTyping = false
    private var isReady: Bool

    /// - Parameter ready: false while the session's program is not yet reading its terminal; typed text then waits
    ///   for ``becomeReady()``, keys do not.
    init(terminal: TerminalDevice, on loop: any EventLoop, ready: Bool) {
        self.loop = loop
        self.terminal = terminal
        self.isReady = ready
    }

    /// True when there is room for this much more.
    func hasRoom(for bytes: Int) -> Bool {
        waiting.count < Self.longestQueue && waitingBytes + deferredKeys.readableBytes + bytes <= Self.largestBacklog
            && terminal.takesInput
    }

    /// True when everything that was typed is in the terminal.
    var isEmpty: Bool { waiting.isEmpty && !isTyping && deferredKeys.readableBytes == 0 }

    func becomeReady() {
        guard !isReady else { return }
        isReady = true
        next()
    }

    /// Asks the first text again whether it is to be typed.
    func resume() { next() }

    /// Single keys, as a person's terminal sends them.
    func send(keys: ByteBuffer) {
        if isTyping {
            deferredKeys.writeImmutableBuffer(keys)
        } else {
            terminal.write(keys)
        }
    }

    func type(_ typing: Typing) {
        waiting.append(typing)
        waitingBytes += typing.keys.readableBytes
        next()
    }

    private func next() {
        guard isReady, !isTyping, let typing = waiting.first else { return }
        isTyping = true
        let beginning = typing.begin()
        isTyping = false
        if beginning == .wait { return }
        waiting.removeFirst()
        waitingBytes -= typing.keys.readableBytes
        if beginning == .skip { return next() }
        isTyping = true
        terminal.write(typing.keys) { written in
            guard written, typing.enter else { return self.finish(typing, written) }
            self.after(typing.pause) {
                self.terminal.write(ByteBuffer(bytes: [0x0d])) { written in
                    // What follows at once would be read in one piece with Enter and be taken for a paste.
                    typing.done(written)
                    self.after(min(typing.pause, TypedText.pause)) { self.release() }
                }
            }
        }
    }

    private func finish(_ typing: Typing, _ written: Bool) {
        typing.done(written)
        release()
    }

    private func release() {
        isTyping = false
        if deferredKeys.readableBytes > 0 {
            terminal.write(deferredKeys)
            deferredKeys = ByteBuffer()
        }
        next()
    }

    private func after(_ milliseconds: Int64, _ action: @escaping () -> Void) {
        loop.assumeIsolated().scheduleTask(in: .milliseconds(milliseconds), action)
    }
}
