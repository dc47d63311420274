/// Which prompts go to the program as channel notifications, and what becomes of them. Nothing says whether the program takes
/// such notifications; what was not taken goes to its input after all. It does no I/O, and knows no clock: time is what is
/// told to have passed while the program could run.
struct ChannelDelivery {
    enum Standing: String {
        case unknown, taken, refused
    }

    enum Input: Equatable {
        /// The program listens, or no longer does.
        case opened, closed
        /// It answered a ping, and so has read what was sent before it.
        case answered(ping: Int)
        /// It keeps a prompt in its queue.
        case queued(String)
        /// Prompts are part of the conversation, in one message.
        /// - Parameter joins: of a turn that ran already.
        case taken([String], joins: Bool)
        /// - Parameter isQuiet: nothing ran in it: what it has would have begun.
        case passed(seconds: Double, isQuiet: Bool)
    }

    enum Output: Equatable {
        /// The program has them.
        case done([String], joins: Bool)
        /// It has not, and is given it on its input.
        case fallBack(String)
        case stands(Standing)
    }

    /// Seconds of quiet after which what was read and not taken will not be taken.
    static let quietLimit = 5.0
    /// Seconds of quiet for a stream that is open to be read. While something runs there is no hurry: what is said would
    /// wait for the end of it anyway.
    static let readLimit = 30.0
    /// More are not under way at once.
    static let most = 16

    private struct Sent {
        var id: String
        var ping: Int
        var isRead = false
        var isQueued = false
        /// The stream that it went out on is closed: nobody will say whether it was read.
        var isCut = false
        var quiet = 0.0
        var unread = 0.0
    }

    private(set) var standing = Standing.unknown
    private(set) var isOpen = false
    private var sent: [Sent] = []
    private var pings = 0

    /// Something is under way of which nobody knows what becomes of it.
    var isWaiting: Bool { !sent.isEmpty }

    /// The program may not have what went before: nothing may overtake it.
    var holdsBack: Bool { sent.contains { !($0.isQueued || $0.isRead && standing == .taken) } }

    /// Whether the next prompt goes by the channel.
    /// - Parameter isFirst: the program has nothing else to do. Until it is known to take notifications only such a prompt
    ///   goes: whether it was taken shows at once.
    func takes(isFirst: Bool) -> Bool {
        guard isOpen, sent.count < Self.most else { return false }
        switch standing {
        case .unknown: return isFirst && sent.isEmpty
        case .taken: return true
        case .refused: return false
        }
    }

    /// A prompt goes out.
    /// - Returns: the number of the ping to send after it.
    mutating func send(_ id: String) -> Int {
        pings += 1
        sent.append(Sent(id: id, ping: pings))
        return pings
    }

    mutating func handle(_ input: Input) -> [Output] {
        switch input {
        case .opened:
            isOpen = true
            return []
        case .closed:
            isOpen = false
            for index in sent.indices { sent[index].isCut = true }
            return []
        case .answered(let ping):
            for index in sent.indices where sent[index].ping <= ping { sent[index].isRead = true }
            return []
        case .queued(let id):
            guard let index = sent.firstIndex(where: { $0.id == id }) else { return [] }
            sent[index].isQueued = true
            return stand(.taken)
        case .taken(let ids, let joins):
            let known = ids.filter { id in sent.contains { $0.id == id } }
            guard !known.isEmpty else { return [] }
            sent.removeAll { known.contains($0.id) }
            return stand(.taken) + [.done(known, joins: joins)]
        case .passed(let seconds, let isQuiet): return pass(seconds, isQuiet)
        }
    }

    private mutating func pass(_ seconds: Double, _ isQuiet: Bool) -> [Output] {
        var lost: [String] = []
        for index in sent.indices {
            let isSettled = sent[index].isRead || sent[index].isQueued || sent[index].isCut
            sent[index].quiet = isQuiet && isSettled ? sent[index].quiet + seconds : 0
            if isQuiet, !isSettled { sent[index].unread += seconds }
            if sent[index].quiet >= Self.quietLimit || sent[index].unread >= Self.readLimit {
                lost.append(sent[index].id)
            }
        }
        guard !lost.isEmpty else { return [] }
        sent.removeAll { lost.contains($0.id) }
        return stand(.refused) + lost.map { .fallBack($0) }
    }

    /// What was refused once is not tried again.
    private mutating func stand(_ news: Standing) -> [Output] {
        guard standing != news, standing != .refused else { return [] }
        standing = news
        return [.stands(news)]
    }
}
