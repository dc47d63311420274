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
        do { try freezer.thaw() } catch {
            logger.error("the session cannot be thawed", metadata: ["error": "\(error)"])
        }
        frozenSince = nil
        logger.info("thawed", metadata: ["after": "\(Int(Date().timeIntervalSince(since)))s"])
    }
}
