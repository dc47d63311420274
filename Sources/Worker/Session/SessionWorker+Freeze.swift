import Foundation
import Logging
import NIOCore
import SessionCore

/// Why a session is not frozen.
enum FreezeRefusal: Error {
    case impossible, busy, failed(String)

    var code: String {
        switch self {
        case .impossible: "cannot_freeze"
        case .busy: "not_idle"
        case .failed: "freeze_failed"
        }
    }

    var detail: String {
        switch self {
        case .impossible: "this box has no cgroup freezer for the session"
        case .busy: "the session is not idle"
        case .failed(let error): error
        }
    }
}

extension SessionWorker {
    /// Stops everything in the sandbox until the next input. Only while nothing happens: what is under way, or was typed
    /// a moment ago, goes on.
    func freeze() throws(FreezeRefusal) {
        guard let freezer else { throw .impossible }
        guard !isOver, stop == nil, view.activity == .idle, !view.backgroundShell, input.isEmpty,
            permissions.open.isEmpty,
            inputTime.map({ MonotonicTime.now.since($0) > 1 }) ?? true
        else { throw .busy }
        guard frozenSince == nil else { return }
        do { try freezer.freeze() } catch { throw .failed("\(error)") }
        frozenSince = Date()
        logger.info("frozen")
    }

    /// Lets everything in the sandbox go on. Harmless when it does.
    func thaw() {
        guard let since = frozenSince, let freezer else { return }
        // What came goes on when the copy is made.
        if holdEnd != nil {
            frozenSince = nil
            return
        }
        do { try freezer.thaw() } catch {
            logger.error("the session cannot be thawed", metadata: ["error": "\(error)"])
        }
        frozenSince = nil
        logger.info("thawed", metadata: ["after": "\(Int(Date().timeIntervalSince(since)))s"])
    }

    /// The longest that anybody's typing waits for a copy.
    static let longestHold = 60.0

    /// Claude Code says that a turn is over up to a tenth of a second before it stores what it was about: a copy that is made
    /// then has no conversation.
    private static let settling = 1.0

    /// Stops everything in the sandbox while its files are copied, busy or not; one that has just become idle a moment later.
    /// What is typed meanwhile waits. The end of it is here: whoever asked may be gone by then, and so may the launcher that
    /// copies.
    func hold(seconds: Double, done: @escaping (FreezeRefusal?) -> Void) {
        let rest = view.activity == .idle ? Self.settling - steadyDate.timeIntervalSince(view.since) : 0
        loop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(max(rest, 0) * 1000))) { [weak self] () -> Void in
            guard let self else { return done(.busy) }
            do throws(FreezeRefusal) {
                try self.hold(seconds: seconds)
                done(nil)
            } catch { done(error) }
        }
    }

    private func hold(seconds: Double) throws(FreezeRefusal) {
        guard let freezer else { throw .impossible }
        guard !isOver, stop == nil else { throw .busy }
        do { try freezer.freeze() } catch { throw .failed("\(error)") }
        holdEnd?.cancel()
        let limit = TimeAmount.milliseconds(Int64(min(max(seconds, 0), Self.longestHold) * 1000))
        holdEnd = loop.assumeIsolated().scheduleTask(in: limit) {
            self.logger.warning("held for a copy of its files for as long as may be: it goes on")
            self.release()
        }
    }

    /// Lets it go on, unless it was frozen for its idleness and still may be.
    func release() {
        guard let end = holdEnd, let freezer else { return }
        end.cancel()
        holdEnd = nil
        guard frozenSince == nil, !isOver else { return }
        do { try freezer.thaw() } catch {
            logger.error("the session cannot be thawed", metadata: ["error": "\(error)"])
        }
    }
}
