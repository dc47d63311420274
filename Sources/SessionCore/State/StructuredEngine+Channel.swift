public import Foundation

/// Prompts that went to the program as channel notifications. It says of none that it has it, nor when it is done with it:
/// the one is found elsewhere (its transcript), the other is the end of the turn that it began or was taken into.
extension StructuredEngine {
    /// Nothing runs, and nothing is about to: what went by the channel would have begun.
    public var isQuiet: Bool {
        view.turn == nil && !isRunning && starting.isEmpty && view.permissions.isEmpty
            && prompts.allSatisfy { $0.isOnChannel && !$0.isBegun }
    }

    /// The program has prompts that went by the channel, in one message: its transcript or its output shows it.
    /// - Parameter joins: it was taken into the turn that runs; else a turn begins with it, the next one where another runs.
    public mutating func took(_ ids: [String], joins: Bool, at now: Date) -> [DerivedEvent] {
        var events: [DerivedEvent] = []
        let isOfTurn = view.turn != nil && (joins || turnPrompts.contains(where: ids.contains))
        for index in prompts.indices where prompts[index].isOnChannel && !prompts[index].isBegun {
            let id = prompts[index].id
            guard ids.contains(id) else { continue }
            var data = EventText.members(prompts[index].text)
            data["prompt_id"] = .string(id)
            events.append(DerivedEvent(.messageUser, .object(data)))
            prompts[index].isBegun = true
            if isOfTurn {
                prompts[index].isAbsorbed = true
                if !turnPrompts.contains(id) { turnPrompts.append(id) }
            } else if !prompts[index].hasSeemedDone {
                starting.append(id)
            }
        }
        prompts.removeAll { $0.isBegun && !$0.isAbsorbed && $0.hasSeemedDone }
        conclude(at: now, &events)
        return events
    }

    /// A prompt that went by the channel goes to the program's input after all.
    public mutating func redirect(_ id: String) {
        guard let index = prompts.firstIndex(where: { $0.id == id && $0.isOnChannel && !$0.isBegun }) else { return }
        prompts[index].isOnChannel = false
        prompts[index].hasSeemedDone = false
        turnPrompts.removeAll { $0 == id }
    }

    /// The prompt that a turn seems to be about that nothing else has begun.
    var presumed: [String] {
        prompts.first { $0.isOnChannel && !$0.isBegun }.map { [$0.id] } ?? []
    }

    /// A turn begins: it ends those that begin it.
    mutating func beginChannelPrompts() {
        for index in prompts.indices where prompts[index].isOnChannel && prompts[index].isBegun {
            if turnPrompts.contains(prompts[index].id) { prompts[index].isAbsorbed = true }
        }
    }

    /// The turn ends: of what only seemed to be its prompt it says no more.
    mutating func forgetUnproven() {
        for index in prompts.indices where prompts[index].isOnChannel && !prompts[index].isBegun {
            guard turnPrompts.contains(prompts[index].id) else { continue }
            turnPrompts.removeAll { $0 == prompts[index].id }
            prompts[index].hasSeemedDone = true
        }
    }

    /// The program is idle: what it had made no turn of has come to nothing.
    mutating func endChannelPrompts() {
        let done = prompts.filter { $0.isOnChannel && $0.isBegun && view.turn == nil }.map(\.id)
        guard !done.isEmpty else { return }
        starting.removeAll { done.contains($0) }
        prompts.removeAll { done.contains($0.id) }
    }
}
