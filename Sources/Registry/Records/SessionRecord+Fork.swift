public import SessionCore

/// Labels that the control plane sets itself: nobody else gives, changes or takes them.
extension SessionRecord {
    public static let ownLabels = "rookery/"
    /// The session that this one began as a copy of.
    private static let forkLabel = ownLabels + "forked-from"

    public var forkedFrom: SessionID? {
        get { labels[Self.forkLabel].flatMap { SessionID(parsing: $0) } }
        set { labels[Self.forkLabel] = newValue?.description }
    }

    /// What a caller's labels come to: with those that are not the caller's.
    public func own(labels asked: [String: String]) -> [String: String] {
        asked.merging(labels.filter { $0.key.hasPrefix(Self.ownLabels) }) { _, own in own }
    }
}
