extension StructuredEngine {
    /// A prompt that was given to the program and is not done.
    public struct OpenPrompt: Sendable, Hashable {
        public var id: String
        public var text: String
        public var by: String
        /// It went as a channel notification, of which the program says nothing: it cannot be taken back.
        public internal(set) var isOnChannel = false
        /// The program has begun it.
        public internal(set) var isBegun = false
        /// The program says that it is new to it: it repeats one that it knows without a word.
        public internal(set) var isNew = false
        /// It was told that the program has it.
        var isDelivered = false
        /// `prompt.queued` was told.
        var isQueued = false
        /// It was taken into the turn that runs, which ends it.
        var isAbsorbed = false
        /// A turn that seemed to be its own is over, and nothing had shown yet that it was.
        var hasSeemedDone = false

        /// Nobody has begun it, and it can be taken back.
        public var isWaiting: Bool { !isBegun && !isOnChannel }
    }
}
