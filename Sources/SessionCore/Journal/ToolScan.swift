/// Follows the records of a journal for the newest tools that were told of.
struct ToolScan {
    private(set) var tools: [JournalRecovery.Tool] = []
    private(set) var told = ToldTools()

    /// A session runs a few at a time.
    private static let most = 256

    mutating func start(_ data: JSONValue?) {
        guard let data, let id = data["tool_use_id"]?.string, told.add(data) else { return }
        if tools.count == Self.most { tools.removeFirst() }
        tools.append(JournalRecovery.Tool(id: id, name: data["tool_name"]?.string ?? "", isOpen: true))
    }

    mutating func complete(_ data: JSONValue?) {
        guard let id = data?["tool_use_id"]?.string, let index = tools.lastIndex(where: { $0.id == id }) else { return }
        tools[index].isOpen = false
    }
}
