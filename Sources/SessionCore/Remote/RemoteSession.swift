public import ClaudeCode
public import Foundation

/// A structured session whose program runs elsewhere: what follows from its records. A pure value; the same records give the
/// same events with the same numbers, so that what is told again is known by its numbers.
public struct RemoteSession: Sendable {
    public private(set) var engine: StructuredEngine
    public private(set) var permissions = PermissionLedger()
    /// The last record.
    public private(set) var received: UInt64 = 0
    /// The last event.
    public private(set) var lastSequence: UInt64 = 0

    /// What a record led to.
    public struct Told: Sendable {
        public var seq: UInt64
        public var time: Date
        public var type: EventType
        public var data: JSONValue
    }

    /// An answer of the program to a request.
    public struct Answer: Sendable {
        public var request: String
        public var result: Result<JSONValue, CommandFailure>
    }

    private var told: [Told] = []
    private var answers: [Answer] = []
    /// What the program's yes to a request changes.
    private var settings: [String: [String: JSONValue]] = [:]
    /// Prompts that the program is asked to give back, by the request.
    private var withdrawals: [String: (prompt: String, by: String)] = [:]
    private var time = Date(timeIntervalSince1970: 0)

    /// Events of one record have numbers of their own below those of the next, and of each other with room for what no
    /// record says: a server that was killed between two of them may have something to say before it has the rest.
    private static let perRecord: UInt64 = 1 << 20
    private static let perEvent: UInt64 = 16
    private static let mostPermissions = 64

    /// All events of the runs before have numbers through this.
    private let base: UInt64
    private var step = Self.perEvent

    /// - Parameter base: the last number of the run before.
    public init(base: UInt64 = 0) {
        engine = StructuredEngine(at: Date(timeIntervalSince1970: 0))
        self.base = base
        lastSequence = base
    }

    /// Numbers through `seq` are taken.
    public mutating func advance(to seq: UInt64) { lastSequence = max(lastSequence, seq) }

    /// The records that had numbers through `seq` do not come again.
    public mutating func skip(to seq: UInt64) {
        advance(to: seq)
        received = max(received, (lastSequence - base) / Self.perRecord)
    }

    /// Takes the next record. One that is known is no news; after one that is missing comes a `gap`.
    public mutating func apply(_ record: RemoteRecord) -> (told: [Told], answers: [Answer]) {
        guard record.number > received else { return ([], []) }
        time = record.time
        let start = base + record.number * Self.perRecord
        if record.number > received + 1 {
            advance(to: start - 2)
            step = 1
            emit(.gap, ["through": .integer(Int64(clamping: lastSequence + 1))])
        }
        received = record.number
        advance(to: start - 1)
        step = Self.perEvent
        if let by = record.by { given(record.line, by: by) } else { said(record.line) }
        defer { (told, answers) = ([], []) }
        return (told, answers)
    }

    /// A piece of a message that is being written: it is no record, for the message comes whole.
    public mutating func pass(_ line: String, at time: Date) -> [Told] {
        guard engine.view.turn != nil, case .delta(let delta)? = StreamMessage(parsing: Data(line.utf8)) else {
            return []
        }
        self.time = time
        step = 1
        emit(.messageDelta, delta.event)
        defer { told = [] }
        return told
    }

    /// Something that no record says: the program is there, or gone.
    public mutating func note(_ type: EventType, _ data: JSONValue, at time: Date) -> [Told] {
        self.time = time
        step = 1
        emit(type, data)
        defer { told = [] }
        return told
    }

    /// The program is gone for good: what it had not finished will not be.
    /// - Parameter unfinished: what is known of that when its records are not.
    public mutating func end(_ unfinished: JournalRecovery?, at time: Date) -> [Told] {
        self.time = time
        step = 1
        if received == 0, let unfinished {
            for permission in unfinished.permissions {
                var data: [String: JSONValue] = [
                    "id": .string(permission.id), "resolution": "withdrawn", "via": "session",
                ]
                if let tool = permission.tool { data["tool_name"] = .string(tool) }
                emit(.permissionResolved, .object(data))
            }
            if unfinished.turnIsOpen { emit(.turnCompleted, ["outcome": "ended", "reason": "exited"]) }
        }
        for question in permissions.open { resolve(question.id, .init(.withdrawn, way: .session, at: time)) }
        conclude(engine.end(at: time))
        defer { told = [] }
        return told
    }

    private mutating func emit(_ type: EventType, _ data: JSONValue) {
        lastSequence = base + ((lastSequence - base) / step + 1) * step
        told.append(Told(seq: lastSequence, time: time, type: type, data: data))
    }

    private mutating func conclude(_ events: [DerivedEvent]) {
        for event in events { emit(event.type, event.data) }
    }

    // MARK: What the program says

    private mutating func said(_ line: String) {
        guard let message = StreamMessage(parsing: Data(line.utf8)) else {
            return emit(.cliDropped, ["bytes": .integer(Int64(line.utf8.count)), "reason": "not_json"])
        }
        switch message {
        case .prompt(let id, .started): delivered(id, isKnown: false)
        case .user(let user):
            if user.isReplay, let prompt = engine.prompts.first(where: { $0.id == user.id && !$0.isBegun }) {
                delivered(prompt.id, isKnown: !prompt.isNew)
                if !prompt.isNew { conclude(engine.drop(prompt.id, at: time)) }
            }
        default: break
        }
        conclude(engine.handle(message, at: time))
        switch message {
        case .delta(let delta): emit(.messageDelta, delta.event)
        case .permission(let permission): ask(permission)
        case .questionWithdrawn(let id): resolve(id, .init(.withdrawn, way: .session, at: time))
        case .answer(let id, let answer): take(answer, to: id)
        case .other: passOn(line)
        default: break
        }
    }

    private mutating func delivered(_ id: String, isKnown: Bool) {
        guard engine.deliver(id) else { return }
        var data: [String: JSONValue] = ["prompt_id": .string(id)]
        if isKnown { data["found"] = true }
        emit(.inputDelivered, .object(data))
    }

    private mutating func ask(_ permission: StreamPermission) {
        let question = PermissionLedger.Question(permission, since: time)
        guard permissions.open.count < Self.mostPermissions, permissions.ask(question) else { return }
        // Whoever hears of a question and asks at once where the session stands is told that it waits.
        conclude(engine.asked(permissions.open, at: time))
        emit(.permissionRequested, question.data)
    }

    private mutating func resolve(_ id: String, _ resolution: PermissionLedger.Resolution) {
        guard let data = permissions.resolve(id, resolution) else { return }
        emit(.permissionResolved, data)
        conclude(engine.asked(permissions.open, at: time))
    }

    private mutating func take(_ answer: StreamAnswer, to request: String) {
        let changes = settings.removeValue(forKey: request)
        let withdrawal = withdrawals.removeValue(forKey: request)
        if let withdrawal { engine.withdrawing.remove(withdrawal.prompt) }
        switch answer {
        case .success(let text):
            let data = JSONValue(parsing: text) ?? .null
            if let withdrawal, data["cancelled"]?.bool == true {
                emit(
                    .promptWithdrawn, ["prompt_id": .string(withdrawal.prompt), "by": .string(withdrawal.by)])
                conclude(engine.drop(withdrawal.prompt, at: time))
            }
            if let changes { conclude(engine.learn(changes)) }
            answers.append(Answer(request: request, result: .success(data)))
        case .failure(let reason):
            let failure = CommandFailure("cli_refused", VisibleText.of(String(reason.prefix(4096))))
            answers.append(Answer(request: request, result: .failure(failure)))
        }
    }

    private mutating func passOn(_ line: String) {
        guard line.utf8.count <= EventText.longestToldInput, let message = JSONValue(parsing: line) else {
            return emit(.cliDropped, ["bytes": .integer(Int64(line.utf8.count)), "reason": "too_large"])
        }
        emit(.cliMessage, ["message": message])
    }

    // MARK: What it is given

    private mutating func given(_ line: String, by: String) {
        guard let object = JSONValue(parsing: line, limit: RemoteRecord.largestLine) else { return }
        switch object["type"]?.string {
        case "user": prompt(object, by: by)
        case "control_response":
            guard let id = object["response"]?["request_id"]?.string else { return }
            let answer = object["response"]?["response"]
            let isAllowed = answer?["behavior"] == "allow"
            var resolution = PermissionLedger.Resolution(isAllowed ? .allowed : .denied, by: by, way: .client, at: time)
            resolution.message = isAllowed ? nil : answer?["message"]?.string
            resolution.isUpdated = answer?["updatedInput"] != nil
            if answer?["updatedPermissions"] != nil { resolution.remember = .session }
            resolve(id, resolution)
        case "control_request":
            guard let id = object["request_id"]?.string, let request = object["request"], settings.count < 64 else {
                return
            }
            switch request["subtype"]?.string {
            case "set_model": settings[id] = request["model"].map { ["model": $0] }
            case "set_permission_mode": settings[id] = request["mode"].map { ["permission_mode": $0] }
            case "cancel_async_message":
                guard let prompt = request["message_uuid"]?.string, withdrawals.count < 64 else { return }
                withdrawals[id] = (prompt, by)
                engine.withdrawing.insert(prompt)
            case "rename_session": settings[id] = request["title"].map { ["title": $0] }
            default: break
            }
        default: break
        }
    }

    private mutating func prompt(_ object: JSONValue, by: String) {
        let content = object["message"]?["content"]
        let texts = (content?.array ?? []).compactMap { $0["type"] == "text" ? $0["text"]?.string : nil }
        let text = content?.string ?? texts.joined(separator: "\n")
        // Without a name nothing that is said of it later can be told from what is said of others.
        guard let id = object["uuid"]?.string else { return }
        var data: [String: JSONValue] = [
            "text": EventText.cut(text), "submit": true, "by": .string(by), "prompt_id": .string(id),
        ]
        let images = (content?.array ?? []).count { $0["type"] == "image" }
        if images > 0 { data["images"] = .integer(Int64(images)) }
        emit(.inputAccepted, .object(data))
        conclude(engine.give(id, text, by: by, at: time))
    }
}

extension PermissionLedger.Question {
    /// What the program asks.
    public init(_ permission: StreamPermission, since: Date) {
        self.init(
            id: permission.id, toolName: permission.toolName,
            input: JSONValue(parsing: permission.input, limit: EventText.longestInput),
            description: permission.description, toolUseID: permission.toolUseID,
            suggestions: permission.suggestions.flatMap { JSONValue(parsing: $0, limit: EventText.longestToldInput) },
            since: since)
    }
}

extension StreamDelta {
    /// The data of `message.delta`.
    public var event: JSONValue {
        var data: [String: JSONValue] = [
            "message_id": .string(messageID), "index": .integer(Int64(index)),
            "kind": isThinking ? "thinking" : "text", "text": .string(text),
        ]
        if let parent { data["parent_tool_use_id"] = .string(parent) }
        return .object(data)
    }
}
