/// What the scripted model will do with one request.
public struct ScriptedPlan: Sendable, Equatable {
    /// Wait this long before answering.
    public var pause: Duration = .zero
    /// Answer with an error instead, as often as this says; then as the rest of the plan does.
    public var refusal: Refusal?
    public var ending: Ending = .complete
    public var blocks: [Block] = []
    /// Wait this long between the pieces of a text.
    public var pieceDelay: Duration = .zero
    /// What the person typed last, and which step of the turn this is: for the log.
    public var text: String = ""
    public var step: Int = 0

    public init() {}

    /// A scripted HTTP error.
    public struct Refusal: Sendable, Equatable {
        public var status: Int
        /// How many times for this same text; nil is always.
        public var times: Int?
    }

    /// How the answer ends.
    public enum Ending: Sendable, Equatable {
        case complete
        /// The connection is cut after the first piece.
        case cut
        /// An `error` event comes after the first piece.
        case errorEvent
        /// Nothing is ever answered.
        case hang
    }

    /// One content block of the answer.
    public enum Block: Sendable, Equatable {
        case text([String])
        case thinking(String)
        /// `input` is a JSON object as text.
        case tool(name: String, input: String)
    }
}
