import Foundation
import NIOCore
import SessionCore
import WorkerControl

extension SessionWorker {
    /// One command, from a client of whatever kind; `answer` is called once.
    func take(_ command: SessionCommand, from origin: CommandOrigin, answer: @escaping (CommandOutcome) -> Void) {
        guard origin.mayGive(command) else {
            return answer(.failed(CommandFailure("not_allowed", "your access to this session does not allow it")))
        }
        switch command {
        case .prompt(let text, let images, let clientID, let channel):
            take(prompt: text, images, clientID, channel, from: origin, answer)
        case .answer(let permission):
            do throws(CommandFailure) {
                answer(.done(try self.answer(permission, from: origin)))
            } catch {
                answer(.failed(error))
            }
        case .permissions: answer(.done(["permissions": .array(permissions.open.map(\.data))]))
        case .state: answer(.done(standing))
        case .interrupt where structured == nil:
            do throws(InputRefusal) {
                try interrupt(sender: origin.principal)
                answer(.done([:]))
            } catch {
                answer(.failed(CommandFailure(error.code, error.detail)))
            }
        default:
            guard let structured else {
                return answer(
                    .failed(CommandFailure("not_structured", "a terminal session does not take this command")))
            }
            structured.take(command, from: origin, answer: answer)
        }
    }

    private func take(
        prompt text: String, _ images: [PromptImage], _ clientID: String?, _ channel: ChannelOrigin?,
        from origin: CommandOrigin, _ answer: @escaping (CommandOutcome) -> Void
    ) {
        do throws(InputRefusal) {
            if let structured {
                try structured.prompt(
                    text, images: images, clientID: clientID, channel: channel, sender: origin.principal
                ) { id, isQueued in
                    answer(
                        .done([
                            "seq": .integer(Int64(clamping: id.seq)), "prompt_id": .string(id.description),
                            "queued": .bool(isQueued),
                        ]))
                }
            } else if images.isEmpty {
                try type(text, submit: true, clientID: clientID, sender: origin.principal) { seq in
                    answer(.done(["seq": .integer(Int64(clamping: seq))]))
                }
            } else {
                answer(.failed(CommandFailure("not_structured", "a terminal session takes no images")))
            }
        } catch {
            answer(.failed(CommandFailure(error.code, error.detail)))
        }
    }

    /// What a client needs to know that has just come; see ``SessionStanding``.
    var standing: JSONValue {
        let view = self.view
        var data: [String: JSONValue] = [
            "kind": .string(structured == nil ? SessionKind.terminal.rawValue : SessionKind.structured.rawValue),
            "lifecycle": .string(lifecycle.rawValue), "activity": .string(view.activity.rawValue),
            "activity_since": .string(activitySince.formatted(.rookery)),
            "tools": .array(
                view.tools.map {
                    ["tool_use_id": .string($0.id), "tool_name": .string($0.name), "tool_input": $0.input]
                }),
            "permissions": .array(permissions.open.map(\.data)),
            "queued": .array((structured?.queued ?? [])),
            "settings": .object(structured?.engine.settings ?? [:]),
            "seq": .integer(Int64(clamping: log.lastSequence)),
        ]
        data["waiting_for"] = view.waitingFor.map { .string($0) }
        data["usage"] = structured?.engine.usage
        if let turn = view.turn {
            var members: [String: JSONValue] = [
                "since": .string(
                    Date().addingTimeInterval(turn.since.timeIntervalSince(steadyDate)).formatted(.rookery)),
                "prompt_ids": .array((structured?.engine.turnPrompts ?? []).map { .string($0) }),
            ]
            members["prompt"] = turn.prompt.map { EventText.cut($0) }
            data["turn"] = .object(members)
        }
        return .object(data)
    }
}

extension StructuredBackend {
    /// Prompts that were not begun, the oldest first.
    var queued: [JSONValue] {
        engine.prompts.filter(\.isWaiting).map {
            ["prompt_id": .string($0.id), "text": EventText.cut($0.text), "by": .string($0.by)]
        }
            + waiting.map {
                ["prompt_id": .string($0.id.description), "text": EventText.cut($0.text), "by": .string($0.by)]
            }
    }
}
