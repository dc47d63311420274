/// Who drives a terminal session and so owns its size. The others watch its grid.
///
/// A pure value: its methods answer what the worker is to do.
public struct DriverLease: Sendable {
    /// One connection's number, unique in its worker.
    public typealias Client = Int

    public enum Action: Sendable, Hashable {
        /// Give the terminal this size now.
        case resize(TerminalSize)
        /// Call ``DriverLease/settle(at:)`` at this time (seconds on the caller's clock).
        case settle(at: Double)
        /// Tell everybody who drives; nil is nobody.
        case announce(driver: Client?)
    }

    public enum Refusal: Error, Sendable, Hashable, CustomStringConvertible {
        case notAttached(Client)
        case viewOnly(Client)
        case notDriver(Client, driver: Client?)

        public var description: String {
            switch self {
            case .notAttached(let client): "client \(client) is not attached"
            case .viewOnly(let client): "client \(client) may only watch; ask for drive access to take over"
            case .notDriver(let client, let driver):
                "client \(client) does not drive this session"
                    + (driver.map { "; client \($0) does: send take_over first" } ?? "; send take_over first")
            }
        }
    }

    private struct Attachment {
        var canDrive: Bool
        var size: TerminalSize?
        /// Rises with each attach and take-over: the newest comes first when the driver leaves.
        var rank: Int
    }

    /// The terminal's size as last decided.
    public private(set) var size: TerminalSize
    public private(set) var driver: Client?

    private var attachments: [Client: Attachment] = [:]
    private var nextRank = 0
    private var pending: TerminalSize?
    private var settlesAt: Double?
    private var lastResize = -Double.infinity
    private let quiet: Double

    /// - Parameter quiet: the least time between two resizes, in seconds; those in between are folded into one.
    public init(size: TerminalSize, quiet: Double = 0.05) {
        self.size = size
        self.quiet = quiet
    }

    public func isAttached(_ client: Client) -> Bool { attachments[client] != nil }

    /// A client connects. It drives at once when it asks to, may, and nobody else does.
    public mutating func attach(
        _ client: Client, canDrive: Bool, wantsToDrive: Bool, size: TerminalSize?, at now: Double
    ) -> [Action] {
        nextRank += 1
        attachments[client] = Attachment(canDrive: canDrive && wantsToDrive, size: size, rank: nextRank)
        guard driver == nil, canDrive, wantsToDrive else { return [] }
        return drive(client, at: now)
    }

    /// A client leaves. When it drove, the newest of those that may drive goes on.
    public mutating func detach(_ client: Client, at now: Double) -> [Action] {
        guard attachments.removeValue(forKey: client) != nil, driver == client else { return [] }
        return passOn(at: now)
    }

    private mutating func passOn(at now: Double) -> [Action] {
        let next = attachments.filter(\.value.canDrive).max { $0.value.rank < $1.value.rank }?.key
        guard let next else {
            driver = nil
            return [.announce(driver: nil)]
        }
        return drive(next, at: now)
    }

    /// A client's right to drive has changed. One that drove and may not any more is like one that left; one that may
    /// now takes over when it likes.
    public mutating func permit(_ client: Client, canDrive: Bool, at now: Double) -> [Action] {
        guard !canDrive, attachments[client] != nil else { return [] }
        attachments[client]?.canDrive = false
        return driver == client ? passOn(at: now) : []
    }

    /// A client takes the session over from whoever drives it. `canDrive` is its right, now that it asks.
    public mutating func takeOver(_ client: Client, canDrive: Bool, at now: Double) throws(Refusal) -> [Action] {
        guard attachments[client] != nil else { throw .notAttached(client) }
        guard canDrive else { throw .viewOnly(client) }
        guard driver != client else { return [] }
        nextRank += 1
        attachments[client]?.rank = nextRank
        attachments[client]?.canDrive = true
        return drive(client, at: now)
    }

    /// A client's window has a new size. Only the driver's decides; another's is remembered for when it drives.
    public mutating func resize(_ client: Client, to size: TerminalSize, at now: Double) throws(Refusal) -> [Action] {
        guard attachments[client] != nil else { throw .notAttached(client) }
        attachments[client]?.size = size
        guard driver == client else { throw .notDriver(client, driver: driver) }
        return decide(size, at: now)
    }

    /// True when the client's keystrokes go to the session.
    public func drives(_ client: Client) -> Bool { driver == client }

    /// The time of an ``Action/settle(at:)`` has come.
    public mutating func settle(at now: Double) -> [Action] {
        guard let due = settlesAt else { return [] }
        guard now >= due else { return [.settle(at: due)] }
        settlesAt = nil
        guard let target = pending else { return [] }
        pending = nil
        return apply(target, at: now)
    }

    private mutating func drive(_ client: Client, at now: Double) -> [Action] {
        driver = client
        var actions: [Action] = [.announce(driver: client)]
        if let size = attachments[client]?.size { actions += decide(size, at: now) }
        return actions
    }

    private mutating func decide(_ target: TerminalSize, at now: Double) -> [Action] {
        if settlesAt != nil {
            pending = target
            return []
        }
        guard now - lastResize < quiet else { return apply(target, at: now) }
        guard target != size else { return [] }
        pending = target
        let due = lastResize + quiet
        settlesAt = due
        return [.settle(at: due)]
    }

    private mutating func apply(_ target: TerminalSize, at now: Double) -> [Action] {
        guard target != size else { return [] }
        size = target
        lastResize = now
        return [.resize(target)]
    }
}
