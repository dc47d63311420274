public import Policy

/// A limit without which a policy lets no session start, and which does not hold here as asked.
public struct UnmetRequirement: Sendable, Hashable {
    public var name: String
    public var reason: String

    /// The first of `required`, by name, that the report does not show to be met. A name that the report does not have
    /// is not met either, unless it is of `elsewhere`: a part that is checked where it is set up.
    public static func first(
        of required: Set<String>, in report: [EnforcedLimit], elsewhere: Set<String> = ["landlock"]
    ) -> UnmetRequirement? {
        for name in required.subtracting(elsewhere).sorted() {
            guard let limit = report.first(where: { $0.name == name }) else {
                return UnmetRequirement(name: name, reason: "nothing here enforces a limit of that name")
            }
            guard let enforced = limit.enforced else {
                return UnmetRequirement(name: name, reason: limit.note ?? "nothing enforces it here")
            }
            if isWeaker(enforced, than: limit.asked, name: name) {
                return UnmetRequirement(
                    name: name,
                    reason: "\(limit.by) holds it at \(enforced), not at \(limit.asked)"
                        + (limit.note.map { " (\($0))" } ?? ""))
            }
        }
        return nil
    }

    /// Weights are shares, not ceilings; filesystems round their number of inodes up to what fills a block; the kernel
    /// keeps what may be unwritten as a share of a threshold that moves; all but one is a number only where it holds.
    private static func isWeaker(_ enforced: String, than asked: String, name: String) -> Bool {
        if name == "processors", Int(asked) == nil { return false }
        guard let held = ByteSize(parsing: enforced), let wanted = ByteSize(parsing: asked) else {
            return enforced != asked
        }
        switch name {
        case "cpu_weight", "io_weight": return false
        case "inodes": return held.bytes > wanted.bytes + wanted.bytes / 32 + 1024
        case "unwritten": return held.bytes > wanted.bytes + wanted.bytes / 8
        default: return held > wanted
        }
    }
}
