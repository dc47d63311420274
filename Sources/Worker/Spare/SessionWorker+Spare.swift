import ClaudeCode
import Foundation
import Logging
import NIOCore
import SessionCore
import WorkerControl

extension SessionWorker {
    /// Waits for the session, where the configuration says so.
    func waitForSession() {
        guard configuration.isSpare == true, let structured else { return }
        spare = Spare(asking: structured.exchange)
        loop.assumeIsolated().scheduleTask(in: Spare.patience) { [weak self] in self?.endSpareIfAlone() }
    }

    /// What was the spare's is the session's from here on, and its times begin.
    private func claimed() {
        spare = nil
        claimedAt = .now
        lastOutput = nil
        outputTime = nil
        structured?.engine = StructuredEngine(at: steadyDate)
        logger.info("claimed by its session")
    }

    /// The supervisor that knew of it is gone: no session can come.
    func endSpareIfAlone() {
        guard spare != nil, connections.isEmpty, !isOver else { return }
        logger.info("a spare without a supervisor ends")
        requestStop(grace: 0)
    }

    /// A supervisor's command for a spare.
    func take(_ command: ControlCommand, for spare: Spare, reply: @escaping (ControlReply) -> Void) {
        func answer(_ outcome: Spare.Outcome) {
            switch outcome {
            case .success(let data): reply(.message(data))
            case .failure(let failure):
                // Its log goes with its files.
                let words = VisibleText.of(String((structured?.lastWords ?? "").suffix(512)))
                reply(
                    .refused(
                        code: failure.code, detail: failure.detail + (words.isEmpty ? "" : "; it wrote: \(words)")))
            }
        }
        switch command {
        case .spareReady: spare.whenReady(answer)
        case .claim(let mode):
            guard let structured else { return }
            spare.claim(for: configuration.sessionID, permissionMode: mode, asking: structured.exchange) {
                [weak self] outcome in
                if case .success = outcome { self?.claimed() }
                answer(outcome)
            }
        case .status: reply(.status(status))
        case .stop(let grace, _):
            requestStop(grace: grace)
            reply(.done)
        default: reply(.refused(code: "no_session", detail: "no session has this worker yet"))
        }
    }
}

extension StructuredBackend {
    /// Before the claim only answers to our own requests count, and the start command's own words.
    func takeUnclaimed(_ record: RecordFramer.Record) {
        guard case .line(let line) = record else { return }
        guard let message = StreamMessage(parsing: Data(line.readableBytesView)) else { return takeStray(line) }
        if case .answer(let id, let answer) = message { exchange.answered(id, answer) }
    }
}
