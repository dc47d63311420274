/// The newest tools that were told to have begun. What is reported once more of one of them, by a hook that is sent again
/// or by another way, is no news, though it has ended meanwhile.
///
/// Models whose ids are not unique call another tool, or the same with another input, under the same id: that is news.
public struct ToldTools: Sendable {
    private var newest: [Int] = []
    private var known: Set<Int> = []

    /// A session runs a few at a time.
    private static let most = 256

    public init() {}

    /// - Parameter tool: as `tool.started` has it.
    /// - Returns: whether it is news.
    public mutating func add(_ tool: JSONValue) -> Bool {
        var hasher = Hasher()
        for name in ["tool_use_id", "tool_name", "tool_input"] { hasher.combine(tool[name]) }
        let call = hasher.finalize()
        guard known.insert(call).inserted else { return false }
        if newest.count == Self.most { known.remove(newest.removeFirst()) }
        newest.append(call)
        return true
    }
}
