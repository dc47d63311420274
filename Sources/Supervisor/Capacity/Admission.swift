import Policy
import SessionCore

/// How many sessions may run at once, and how much memory they may be promised together.
struct Admission {
    /// Why one more does not fit.
    enum Refusal: Equatable {
        case sessions(running: Int, limit: Int)
        case memory(reserved: ByteSize, asked: ByteSize, limit: ByteSize)
        /// It would not fit on an empty box either.
        case neverFits(asked: ByteSize, limit: ByteSize)
    }

    let maxSessions: Int
    let maxMemory: ByteSize
    private(set) var reserved: [SessionID: ByteSize] = [:]

    init(maxSessions: Int, maxMemory: ByteSize) {
        self.maxSessions = maxSessions
        self.maxMemory = maxMemory
    }

    var reservedMemory: ByteSize { ByteSize(bytes: reserved.values.reduce(0) { $0 + $1.bytes }) }

    /// How many more of that size have a place.
    func room(for memory: ByteSize) -> Int {
        let left = maxMemory.bytes - min(reservedMemory.bytes, maxMemory.bytes)
        return max(0, min(maxSessions - reserved.count, Int(clamping: left / max(memory.bytes, 1))))
    }

    /// Whether it is full but for some that give way.
    func isFull(without yielding: Set<SessionID> = []) -> Bool {
        let count = yielding.count { reserved[$0] != nil }
        let memory = yielding.reduce(0) { $0 + (reserved[$1]?.bytes ?? 0) }
        return reserved.count - count >= maxSessions || reservedMemory.bytes - memory >= maxMemory.bytes
    }

    /// Takes a place, or says why there is none. A session that has one keeps it.
    mutating func reserve(_ id: SessionID, memory: ByteSize) -> Refusal? {
        guard reserved[id] == nil else { return nil }
        guard memory <= maxMemory else { return .neverFits(asked: memory, limit: maxMemory) }
        guard reserved.count < maxSessions else { return .sessions(running: reserved.count, limit: maxSessions) }
        guard reservedMemory.bytes + memory.bytes <= maxMemory.bytes else {
            return .memory(reserved: reservedMemory, asked: memory, limit: maxMemory)
        }
        reserved[id] = memory
        return nil
    }

    /// A session that runs already has its place, whatever the limits are now.
    mutating func adopt(_ id: SessionID, memory: ByteSize) { reserved[id] = memory }

    mutating func release(_ id: SessionID) { reserved[id] = nil }
}

extension Admission.Refusal {
    /// For the caller: what is full, and what would help.
    var detail: String {
        switch self {
        case .sessions(let running, let limit):
            "the box is full: \(running) of \(limit) sessions run. Stop or park one, wait until one is parked, "
                + "or have the operator raise --max-sessions"
        case .memory(let reserved, let asked, let limit):
            "the box is full: \(reserved) of \(limit) memory is reserved, and this session asks for \(asked). "
                + "Stop or park one, use a policy with less memory, or have the operator raise --max-memory"
        case .neverFits(let asked, let limit):
            "the session's policy asks for \(asked) memory and the box has \(limit): use a policy with less memory, "
                + "or have the operator raise --max-memory"
        }
    }
}
