import SessionCore

/// What the doctor found out about one thing.
struct Finding: Equatable, Sendable {
    enum Status: String, Sendable, Comparable {
        case ok = "pass"
        case warn, fail

        private var rank: Int { self == .ok ? 0 : self == .warn ? 1 : 2 }
        static func < (left: Status, right: Status) -> Bool { left.rank < right.rank }
    }

    var status: Status
    /// What was looked at.
    var name: String
    var detail: String
    /// What to do about it; nil when all is well.
    var remedy: String?

    static func ok(_ name: String, _ detail: String) -> Finding {
        Finding(status: .ok, name: name, detail: detail, remedy: nil)
    }

    /// Works, but less well than it could.
    static func warn(_ name: String, _ detail: String, _ remedy: String) -> Finding {
        Finding(status: .warn, name: name, detail: detail, remedy: remedy)
    }

    /// Sessions cannot run like this.
    static func fail(_ name: String, _ detail: String, _ remedy: String) -> Finding {
        Finding(status: .fail, name: name, detail: detail, remedy: remedy)
    }

    var document: JSONValue {
        [
            "status": .string(status.rawValue), "name": .string(name), "detail": .string(detail),
            "remedy": remedy.map { .string($0) } ?? .null,
        ]
    }
}
