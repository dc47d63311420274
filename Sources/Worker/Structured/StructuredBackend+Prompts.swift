import ClaudeCode
import Foundation
import Glibc
import Logging
import NIOCore
import SessionCore
import WorkerControl

/// A prompt on its way to the program.
struct WaitingPrompt {
    var id: PromptID
    var text: String
    var images: [PromptImage]
    var by: String
    var clientID: String?
    /// How it came by claude-socket's wire; nil: it did not, or nobody knows any more.
    var channel: ChannelOrigin?
    /// Of an incarnation before: the program may have it.
    var earlier: JournalRecovery.Input?
}

/// Prompts: each is in the journal before it is acknowledged, is given to the program under a name that follows from its
/// place there, and the program takes each name once.
extension StructuredBackend {
    /// Prompts that are not done.
    static let mostPrompts = 256

    /// - Parameter stored: called once it is as safe as it gets, with whether it waits for a turn that runs.
    func prompt(
        _ text: String, images: [PromptImage], clientID: String?, channel: ChannelOrigin? = nil, sender: String,
        stored: @escaping (PromptID, _ isQueued: Bool) -> Void
    ) throws(InputRefusal) {
        guard !worker.isOver, !isClosing else { throw .over }
        guard text.utf8.count <= SessionWorker.largestText else { throw .tooLarge }
        guard !text.isEmpty || !images.isEmpty else { throw .empty }
        guard waiting.count + engine.prompts.count < Self.mostPrompts, device.takesInput else { throw .backlog }
        let isQueued = engine.isBusy || !waiting.isEmpty
        let now = Date()
        let accepted = AcceptedInput(content: .prompt(text, images: images), sender: sender, clientID: clientID)
        let acceptance = try worker.accept(accepted, at: now)
        let id = PromptID(session: worker.configuration.sessionID, seq: acceptance.seq)
        worker.log.whenStored(through: acceptance.seq) { stored(id, isQueued) }
        guard case .accepted = acceptance else { return }
        waiting.append(
            WaitingPrompt(
                id: id, text: text, images: images, by: sender, clientID: clientID, channel: channel, earlier: nil))
        giveWaiting()
    }

    /// A prompt that an incarnation before had accepted, and whose end nobody saw.
    func takeUp(_ input: JournalRecovery.Input) {
        worker.logger.info(
            "a prompt of the last incarnation", metadata: ["seq": "\(input.seq)", "stage": "\(input.stage)"])
        waiting.append(
            WaitingPrompt(
                id: PromptID(session: worker.configuration.sessionID, seq: input.seq), text: input.text,
                images: input.images ?? [], by: input.sender, clientID: input.clientID, earlier: input))
    }

    /// Gives the program what waits for it, in order. Stops at what cannot be decided or written down yet.
    func giveWaiting() {
        while let prompt = waiting.first, !worker.isOver, channel?.holdsBack != true {
            if let earlier = prompt.earlier, earlier.stage != .accepted {
                if worker.waitsForAnnouncement { return }
                if let way = wayTaken(earlier, prompt.id) {
                    waiting.removeFirst()
                    worker.emit(.inputDelivered, deliveryData(prompt, found: true))
                    // Its line in the transcript is the CLI's own, and is told of nowhere else.
                    if way == .channel { tellSaid(prompt) }
                    continue
                }
            }
            if let journal = worker.journal {
                do { try journal.append(delivering: prompt.id.seq, at: Date()) } catch { return }
            }
            waiting.removeFirst()
            if let channel, channel.takes(prompt) {
                channel.send(prompt)
                conclude(
                    engine.give(
                        prompt.id.description, prompt.text, by: prompt.by, onChannel: true, at: worker.steadyDate))
                continue
            }
            send(
                .prompt(
                    id: prompt.id.description, text: prompt.text,
                    images: prompt.images.map { StreamImage(mediaType: $0.mediaType, data: $0.data) }))
            conclude(
                engine.give(prompt.id.description, prompt.text, by: prompt.by, at: worker.steadyDate))
        }
    }

    /// The program says that it has begun a prompt.
    func begun(_ id: String) { tellDelivered(id, isKnown: false) }

    /// The program repeats a prompt: one that it begins or takes into the turn that runs, or one that it had before.
    func repeated(_ id: String) {
        guard let prompt = engine.prompts.first(where: { $0.id == id }), !prompt.isBegun else { return }
        tellDelivered(id, isKnown: !prompt.isNew)
        if !prompt.isNew { conclude(engine.drop(id, at: worker.steadyDate)) }
    }

    /// With the place of the prompt in the journal.
    func numbered(_ data: JSONValue) -> JSONValue {
        guard case .object(var members) = data,
            let id = PromptID(parsing: data["prompt_id"]?.string ?? "", of: worker.configuration.sessionID)
        else { return data }
        members["input_seq"] = .integer(Int64(clamping: id.seq))
        return .object(members)
    }

    func tellDelivered(_ id: String, isKnown: Bool = false, byChannel: Bool = false) {
        guard let name = PromptID(parsing: id, of: worker.configuration.sessionID), engine.deliver(id) else { return }
        var data: [String: JSONValue] = ["input_seq": .integer(Int64(clamping: name.seq)), "prompt_id": .string(id)]
        if isKnown { data["found"] = true }
        if byChannel { data["by_channel"] = true }
        worker.emit(.inputDelivered, .object(data))
    }

    private func deliveryData(_ prompt: WaitingPrompt, found: Bool) -> JSONValue {
        var data: [String: JSONValue] = [
            "input_seq": .integer(Int64(clamping: prompt.id.seq)), "prompt_id": .string(prompt.id.description),
        ]
        if let clientID = prompt.clientID { data["client_id"] = .string(clientID) }
        if found { data["found"] = true }
        return .object(data)
    }

    private func tellSaid(_ prompt: WaitingPrompt) {
        var data = EventText.members(prompt.text)
        data["prompt_id"] = .string(prompt.id.description)
        data["recovered"] = true
        worker.emit(.messageUser, .object(data))
    }

    /// How the transcript has the prompt. Without a transcript, what was begun counts as taken.
    private func wayTaken(_ input: JournalRecovery.Input, _ id: PromptID) -> EarlierPromptIDs.Way? {
        guard let path = worker.announcement.path else { return input.stage == .delivered ? .input : nil }
        let names = [id.description, worker.journal?.recovery.mergedPrompts[id.description]].compactMap { $0 }
        return EarlierPromptIDs.way(ofAnyOf: names, in: worker.home, absolutePath: path)
    }

    /// Takes back what was not begun.
    func withdraw(_ text: String, by principal: String, answer: @escaping (CommandOutcome) -> Void) {
        guard let id = PromptID(parsing: text, of: worker.configuration.sessionID) else {
            return answer(.failed(CommandFailure("no_such_prompt", "the session has no prompt '\(text.prefix(64))'")))
        }
        if let index = waiting.firstIndex(where: { $0.id == id }) {
            waiting.remove(at: index)
            withdrawn(id, by: principal)
            return answer(.done([:]))
        }
        guard let prompt = engine.prompts.first(where: { $0.id == id.description }), prompt.isWaiting else {
            return answer(
                .failed(CommandFailure("already_begun", "the prompt is not waiting: it was begun, or is done")))
        }
        engine.withdrawing.insert(id.description)
        exchange.ask(.withdraw(prompt: id.description)) { [weak self] result in
            self?.engine.withdrawing.remove(id.description)
            switch result {
            case .failure(let failure): answer(.failed(failure))
            case .success(let data):
                guard data["cancelled"]?.bool == true else {
                    return answer(.failed(CommandFailure("already_begun", "the prompt was begun a moment before")))
                }
                self?.withdrawn(id, by: principal)
                answer(.done([:]))
            }
        }
    }

    private func withdrawn(_ id: PromptID, by principal: String) {
        worker.emit(
            .promptWithdrawn, numbered(["prompt_id": .string(id.description), "by": .string(principal)]))
        conclude(engine.drop(id.description, at: worker.steadyDate))
    }
}
