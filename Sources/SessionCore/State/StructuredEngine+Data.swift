import ClaudeCode

extension StructuredEngine {
    static func message(_ type: EventType, _ text: String, _ content: StreamContent) -> DerivedEvent {
        var data = EventText.members(text)
        data["message_id"] = .string(content.messageID)
        if let model = content.model { data["model"] = .string(model) }
        if let line = content.line, content.parent == nil { data["uuid"] = .string(line) }
        if let parent = content.parent { data["parent_tool_use_id"] = .string(parent) }
        return DerivedEvent(type, .object(data))
    }

    static func members(of settings: StreamSettings) -> [String: JSONValue] {
        var members: [String: JSONValue] = [
            "tools": .array(settings.tools.map { .string($0) }),
            "commands": .array(settings.commands.map { .string($0) }),
            "mcp_servers": .array(
                settings.servers.map { ["name": .string($0.name), "status": .string($0.status)] }),
        ]
        members["model"] = settings.model.map { .string($0) }
        members["permission_mode"] = settings.permissionMode.map { .string($0) }
        members["cwd"] = settings.workingDirectory.map { .string($0) }
        members["version"] = settings.version.map { .string($0) }
        return members
    }

    static func data(of retry: StreamRetry) -> JSONValue {
        var data: [String: JSONValue] = [
            "attempt": .integer(Int64(retry.attempt)), "max_retries": .integer(Int64(retry.most)),
            "delay_ms": .integer(Int64(retry.delayMilliseconds)),
        ]
        data["status"] = retry.status.map { .integer(Int64($0)) }
        data["error"] = retry.error.map { .string($0) }
        return .object(data)
    }

    static func event(of task: StreamTask) -> DerivedEvent {
        var data: [String: JSONValue] = ["task_id": .string(task.id)]
        data["tool_use_id"] = task.toolUseID.map { .string($0) }
        data["description"] = task.description.map { EventText.cut($0) }
        data["status"] = task.status.map { .string($0) }
        return DerivedEvent(task.status == nil ? .taskStarted : .taskCompleted, .object(data))
    }

    static func usage(of result: StreamResult) -> JSONValue {
        var sum = StreamUsage(cost: result.totalCost)
        for model in result.models.values {
            sum.input += model.input
            sum.output += model.output
            sum.cacheRead += model.cacheRead
            sum.cacheCreation += model.cacheCreation
        }
        guard case .object(var data) = json(of: sum) else { return .null }
        data["models"] = .object(result.models.mapValues(json))
        return .object(data)
    }

    static func json(of usage: StreamUsage) -> JSONValue {
        var data: [String: JSONValue] = [
            "input_tokens": .integer(Int64(usage.input)), "output_tokens": .integer(Int64(usage.output)),
            "cache_read_tokens": .integer(Int64(usage.cacheRead)),
            "cache_creation_tokens": .integer(Int64(usage.cacheCreation)),
        ]
        data["cost_usd"] = usage.cost.map { .number($0) }
        return .object(data)
    }
}
