public import Foundation

/// What a journal says about the incarnations before, found when it was opened.
public struct JournalRecovery: Sendable {
    /// An input whose way to the session's program was not seen to its end.
    public struct Input: Sendable {
        public enum Stage: Sendable, Hashable {
            /// Nothing of it was given to the terminal.
            case accepted
            /// Some of it may have been given to the terminal.
            case delivering
            /// All of it was given to the terminal; nothing shows that the program took it before it was killed.
            case delivered
        }

        public var seq: UInt64
        public var time: Date
        public var text: String
        public var submit: Bool
        public var sender: String
        public var clientID: String?
        /// Of a prompt of a structured session; nil for what is typed.
        public var images: [PromptImage]?
        public var stage: Stage
        /// Keys were typed between this text and the one before, or while it was typed: the line that was submitted may
        /// hold more than the text.
        public var isMixedWithKeys = false
        /// A permission was being asked for when it was typed: it answered that.
        public var answeredDialog = false

        // For the bookkeeping below.
        var deliveredAt: Date?
        var turnWasOpen = false
        /// A turn began after it was delivered, and has not come to its end.
        var turnBegan = false
    }

    /// A tool that the log tells of.
    public struct Tool: Sendable, Hashable {
        public var id: String
        public var name: String
        /// Nothing says that it came to its end.
        public var isOpen: Bool

        public init(id: String, name: String, isOpen: Bool) {
            (self.id, self.name, self.isOpen) = (id, name, isOpen)
        }
    }

    public struct Permission: Sendable, Hashable {
        public var id: String
        /// nil where it was not said.
        public var tool: String?
    }

    /// Texts that may have to be typed, in their order.
    public internal(set) var inputs: [Input] = []
    /// The last incarnation ended inside a turn, and nobody could say so.
    public internal(set) var turnIsOpen = false
    /// There was an incarnation before, and its worker did not see its end.
    public internal(set) var wasKilled = false
    /// The transcript's name (`uuid`) for the last message that is in the journal.
    public internal(set) var lastMessage: String?
    /// Permissions that were asked for and are not decided.
    public internal(set) var permissions: [Permission] = []
    /// The newest tools, in the order in which they started.
    public internal(set) var tools: [Tool] = []
    /// The same, for whoever tells of more.
    public internal(set) var toldTools = ToldTools()
    /// The last of the prompts that were merged into one turn, by each of the others: the transcript names that one alone.
    public internal(set) var mergedPrompts: [String: String] = [:]
    /// When the last incarnation was first given anything.
    public internal(set) var began = Date.distantFuture
    /// Bytes of a torn tail that were cut off.
    public internal(set) var cut: Cut?

    public struct Cut: Sendable, Hashable {
        public var segment: String
        public var offset: Int
        public var bytes: Int
    }
}
