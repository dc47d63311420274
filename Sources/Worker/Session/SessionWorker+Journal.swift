import Dialects
import Foundation
import Logging
import NIOCore
import SessionCore
import WorkerControl

/// The log on disk: what the incarnation before left, and a disk that takes nothing.
extension SessionWorker {
    // MARK: What was left

    /// Before anything new is taken: says how the last incarnation ended, and takes over the texts that it had accepted.
    func takeUpJournal() {
        guard let journal else { return }
        journal.onStall = { [unowned self] in $0 == nil ? journalResumed() : journalStalled() }
        let recovery = journal.recovery
        if let cut = recovery.cut {
            emit(
                .sessionJournal,
                ["state": "repaired", "segment": .string(cut.segment), "cut_bytes": .integer(Int64(cut.bytes))])
        }
        engine.toldTools = recovery.toldTools
        if recovery.wasKilled {
            let missed = MissedMessages(of: configuration.sessionID.description, in: home)
            for event in missed.events(after: recovery.lastMessage, since: recovery.began, tools: recovery.tools) {
                emit(event.type, event.data)
                if event.type == .toolStarted { _ = engine.toldTools.add(event.data) }
            }
        }
        for permission in recovery.permissions {
            var data: [String: JSONValue] = [
                "id": .string(permission.id), "resolution": "withdrawn", "via": "session",
            ]
            if let tool = permission.tool { data["tool_name"] = .string(tool) }
            emit(.permissionResolved, .object(data))
        }
        if recovery.turnIsOpen {
            emit(.turnCompleted, ["outcome": "interrupted", "interrupted": true, "reason": "worker_lost"])
        }
        // A recording begins with the size of what it shows.
        sizeIsUnlogged = (try? journal.append(resize: configuration.size, at: Date())) == nil
    }

    /// Typed again in its turn, unless it turns out that the session had it.
    func take(up text: JournalRecovery.Input) {
        logger.info(
            "an input of the last incarnation", metadata: ["seq": "\(text.seq)", "stage": "\(text.stage)"])
        input.type(
            typing(
                TypedText.keys(for: text.text), submit: text.submit, pause: TypedText.pause, seq: text.seq,
                clientID: text.clientID
            ) { [unowned self] in
                if text.stage != .accepted, waitsForAnnouncement { return .wait }
                guard wasTaken(text) else { return .type }
                emit(.inputDelivered, deliveryData(text.seq, text.clientID, found: true))
                return .skip
            })
    }

    /// What a transcript decides waits until its name is known, or until nobody will say it any more.
    var waitsForAnnouncement: Bool {
        !announcement.isDecided && NIODeadline.now() - started < Self.announcementPatience
    }

    static let announcementPatience = TimeAmount.seconds(5)

    /// Whether the program that is gone had made something of a text. See Docs/reliability.md for the reasons.
    private func wasTaken(_ text: JournalRecovery.Input) -> Bool {
        switch text.stage {
        case .accepted: return false
        case .delivering where !text.submit: return false
        case .delivering, .delivered: break
        }
        // A program that keeps no transcript was given all of it, or died while it was given.
        guard let path = announcement.path else { return text.stage == .delivered }
        return EarlierPrompts(in: home, absolutePath: path, since: text.time)
            .contain(text.text, asPart: text.isMixedWithKeys)
    }

    /// The incarnation's end, as its worker saw it, is the last thing in its journal.
    func closeJournal(isOrderly: Bool) {
        journal?.close(onRequest: isOrderly)
        if let held = heldOutput {
            logger.error(
                "the end of the terminal's output cannot be stored", metadata: ["bytes": "\(held.readableBytes)"])
        }
    }

    /// Once all of the session is on the disk.
    func whenStored(_ done: @escaping () -> Void) {
        var isDone = false
        func once() {
            guard !isDone else { return }
            isDone = true
            done()
        }
        log.whenStored(through: log.lastSequence) { once() }
        guard !isDone else { return }
        // A disk that hangs does not keep a session from ending.
        loop.assumeIsolated().scheduleTask(in: .seconds(3)) { once() }
    }

    // MARK: A disk that takes nothing

    /// More events than this wait for no disk.
    private static let mostHeldEvents = 512

    func hold(_ output: ByteBuffer) {
        if heldOutput == nil {
            heldOutput = output
            terminal.pause()
        } else {
            heldOutput?.writeImmutableBuffer(output)
        }
    }

    func hold(_ type: EventType, _ data: JSONValue) {
        guard heldEvents.count < Self.mostHeldEvents else {
            droppedEvents += 1
            return
        }
        heldEvents.append((type, data))
    }

    private func journalStalled() {
        guard let stall = journal?.stall else { return }
        logger.error("the session stands still: nothing of it can be stored", metadata: ["error": "\(stall)"])
        structured?.device.pause()
        // Not from within the append that failed.
        loop.assumeIsolated().execute {
            self.emit(
                .sessionJournal,
                ["state": "stalled", "reason": .string(stall.reason), "detail": .string(stall.description)])
        }
    }

    private func journalResumed() {
        logger.info("the journal takes everything again", metadata: ["dropped_events": "\(droppedEvents)"])
        let events = heldEvents
        heldEvents = []
        for (type, data) in events { emit(type, data) }
        emit(.sessionJournal, ["state": "resumed", "dropped_events": .integer(Int64(droppedEvents))])
        droppedEvents = 0
        if sizeIsUnlogged { sizeIsUnlogged = (try? log.append(resize: screen.size, at: Date())) == nil }
        if let output = heldOutput {
            heldOutput = nil
            show(output)
        }
        if heldOutput == nil { terminal.resume() }
        input.resume()
        structured?.device.resume()
        structured?.giveWaiting()
    }
}
