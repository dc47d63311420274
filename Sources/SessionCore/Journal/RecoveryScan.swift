import Foundation

/// Follows the records of a journal for what is not finished.
struct RecoveryScan {
    private let session: SessionID
    private var inputs: [JournalRecovery.Input] = []
    private var turnIsOpen = false
    private var permissions: [JournalRecovery.Permission] = []
    private var keysTyped = false
    /// The last incarnation's worker saw its end.
    var isClosed: Bool { closed == newestIncarnation }
    private var closed: UInt32?
    private var newestIncarnation: UInt32?
    private var began = Date.distantFuture
    private var newest = Date.distantPast
    /// The payload of the last message: only that one is parsed.
    private var lastMessage: [UInt8] = []
    private var mergedPrompts: [String: String] = [:]
    private var tools = ToolScan()
    private(set) var clientIDs: [(sender: String, clientID: String, seq: UInt64)] = []

    /// The most inputs followed; a session takes no more at a time.
    private static let mostInputs = 512
    private static let mostClientIDs = 4096
    private static let mostPermissions = 64
    /// A program that was given a text and did nothing with it for so long was not killed while it had it.
    private static let patience: TimeInterval = 10

    init(of session: SessionID) { self.session = session }

    static func wants(_ head: RecordHead) -> Bool {
        switch RecordHead.Kind(rawValue: head.kind) {
        case .input, .delivering, .closed: true
        case .event:
            switch RecordHead.Mark(rawValue: head.mark) {
            case .inputDelivered, .promptWithdrawn, .turnStarted, .turnCompleted, .message, .permissionRequested,
                .permissionResolved, .toolStarted, .toolCompleted:
                true
            default: false
            }
        case .output, .resize, nil: false
        }
    }

    mutating func take(_ head: RecordHead, _ payload: UnsafeRawBufferPointer?) {
        let time = Date(timeIntervalSince1970: Double(head.wall) / 1e9)
        newest = time
        if newestIncarnation != head.incarnation { began = time }
        // What still comes after an end (clients that leave) changes nothing about it.
        newestIncarnation = head.incarnation
        switch RecordHead.Kind(rawValue: head.kind) {
        case .input:
            guard let payload, let input = RecordPayload.input(payload) else { return }
            take(input, head.seq, time)
        case .delivering:
            guard let seq = payload.flatMap(RecordPayload.delivering),
                let index = inputs.lastIndex(where: { $0.seq == seq })
            else { return }
            inputs[index].stage = .delivering
            inputs[index].answeredDialog = !permissions.isEmpty && inputs[index].images == nil
            inputs[index].turnWasOpen = turnIsOpen
            inputs[index].turnBegan = false
        case .event: take(RecordHead.Mark(rawValue: head.mark), payload, time)
        case .closed:
            if payload.map(RecordPayload.closedOnRequest) ?? false { inputs.removeAll { $0.stage == .delivered } }
            closed = head.incarnation
            turnIsOpen = false
            permissions = []
        case .output, .resize, nil: break
        }
    }

    private mutating func take(_ input: AcceptedInput, _ seq: UInt64, _ time: Date) {
        if let clientID = input.clientID {
            clientIDs.append((input.sender, clientID, seq))
            if clientIDs.count > 2 * Self.mostClientIDs { clientIDs.removeFirst(Self.mostClientIDs) }
        }
        switch input.content {
        case .keys:
            keysTyped = true
            for index in inputs.indices where inputs[index].stage != .delivered { inputs[index].isMixedWithKeys = true }
            return
        case .text(let text, let submit):
            inputs.append(
                JournalRecovery.Input(
                    seq: seq, time: time, text: text, submit: submit, sender: input.sender, clientID: input.clientID,
                    stage: .accepted, isMixedWithKeys: keysTyped))
            // A line that was not submitted is part of the next.
            keysTyped = !submit
        case .prompt(let text, let images):
            inputs.append(
                JournalRecovery.Input(
                    seq: seq, time: time, text: text, submit: true, sender: input.sender, clientID: input.clientID,
                    images: images, stage: .accepted))
        }
        if inputs.count > Self.mostInputs { inputs.removeFirst() }
    }

    private mutating func take(_ mark: RecordHead.Mark?, _ payload: UnsafeRawBufferPointer?, _ time: Date) {
        switch mark {
        case .turnStarted:
            turnIsOpen = true
            let prompts = payload.flatMap(RecordPayload.event)?.data["prompt_ids"]?.array?.compactMap(\.string) ?? []
            if prompts.count > 1, let last = prompts.last {
                if mergedPrompts.count > Self.mostClientIDs { mergedPrompts = [:] }
                for prompt in prompts.dropLast() { mergedPrompts[prompt] = last }
            }
            // Claude Code says so before it stores what it was told.
            for index in inputs.indices where inputs[index].stage == .delivered { inputs[index].turnBegan = true }
        case .turnCompleted:
            turnIsOpen = false
            permissions = []
            // One that came with the program's own end, or that the next incarnation told of it, says nothing of a text.
            let data = payload.flatMap(RecordPayload.event)?.data
            let isTheProgramsWord = data?["reason"]?.string != "worker_lost" && data?["outcome"]?.string != "ended"
            if data?["outcome"]?.string == "interrupted", isTheProgramsWord { forget(data?["prompt_ids"]?.array ?? []) }
            for index in inputs.indices where inputs[index].stage == .delivered {
                // Claude Code says that a turn is over up to a tenth of a second before it stores what it was about.
                if inputs[index].turnWasOpen || inputs[index].turnBegan && isTheProgramsWord {
                    inputs[index].turnWasOpen = false
                    inputs[index].turnBegan = false
                    inputs[index].deliveredAt = time
                }
            }
        case .permissionRequested: ask(payload.flatMap(RecordPayload.event)?.data)
        case .permissionResolved:
            let id = payload.flatMap(RecordPayload.event)?.data["id"]?.string
            permissions.removeAll { $0.id == id }
        case .inputDelivered:
            guard let data = payload.flatMap(RecordPayload.event)?.data, let seq = data["input_seq"]?.integer,
                let index = inputs.lastIndex(where: { $0.seq == UInt64(clamping: seq) })
            else { return }
            // A text that was not submitted is a draft on a screen that is gone; one found in the transcript is done.
            if !inputs[index].submit || data["found"]?.bool == true {
                inputs.remove(at: index)
            } else {
                inputs[index].stage = .delivered
                inputs[index].deliveredAt = time
            }
        case .promptWithdrawn:
            let seq = payload.flatMap(RecordPayload.event)?.data["input_seq"]?.integer
            if let seq { inputs.removeAll { $0.seq == UInt64(clamping: seq) } }
        case .toolStarted: tools.start(payload.flatMap(RecordPayload.event)?.data)
        case .toolCompleted: tools.complete(payload.flatMap(RecordPayload.event)?.data)
        case .message: if let payload, Self.namesALine(payload) { lastMessage = Array(payload) }
        case .cheap, .none?, nil: break
        }
    }

    private mutating func ask(_ data: JSONValue?) {
        if permissions.count == Self.mostPermissions { permissions.removeFirst() }
        let id = data?["id"]?.string ?? ""
        permissions.append(JournalRecovery.Permission(id: id, tool: data?["tool_name"]?.string))
    }

    /// Somebody has interrupted their turn: they are not begun again, even if the program kept nothing of them.
    private mutating func forget(_ prompts: [JSONValue]) {
        for case .string(let text) in prompts {
            guard let prompt = PromptID(parsing: text, of: session) else { continue }
            inputs.removeAll { $0.seq == prompt.seq }
        }
    }

    /// A subagent's messages are in a transcript of its own, and carry no name.
    private static func namesALine(_ payload: UnsafeRawBufferPointer) -> Bool {
        Data(payload).range(of: Data("\"uuid\":".utf8)) != nil
    }

    /// - Parameter wasEmpty: there was no incarnation before.
    func recovery(wasEmpty: Bool) -> JournalRecovery {
        var recovery = JournalRecovery()
        recovery.wasKilled = !wasEmpty && !isClosed
        recovery.turnIsOpen = turnIsOpen
        recovery.began = began
        recovery.mergedPrompts = mergedPrompts
        recovery.permissions = permissions
        recovery.tools = tools.tools
        recovery.toldTools = tools.told
        recovery.lastMessage = lastMessage.withUnsafeBytes(RecordPayload.event)?.data["uuid"]?.string
        recovery.inputs = inputs.filter { input in
            switch input.stage {
            case .accepted: return true
            case .delivering: return input.submit || !input.isMixedWithKeys
            case .delivered:
                guard !input.answeredDialog else { return false }
                return input.turnBegan || input.turnWasOpen
                    || newest.timeIntervalSince(input.deliveredAt ?? input.time) < Self.patience
            }
        }
        return recovery
    }
}
