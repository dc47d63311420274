import ArgumentParser
import Foundation
import NIOCore
import NIOWebSocket
import SessionCore

/// A session's terminal on this terminal, from attach to detach, over as many connections as it takes.
struct TerminalAttachment {
    let client: ServerClient
    let session: String
    let mode: AttachMode

    /// Returns when the person detaches or the session is parked or stopped.
    ///
    /// - Throws: `ExitCode` with the status of the session's command when that ended; ``Failure`` otherwise.
    func run() async throws {
        let terminal = try LocalTerminal()
        let outcome: Result<End, any Error>
        do {
            LocalTerminal.write("\u{1b}[2m[rookery] Ctrl-] or Ctrl-\\ detaches\u{1b}[0m\r\n".utf8)
            outcome = .success(try await AttachmentLoop(client: client, session: session, mode: mode).run())
        } catch {
            outcome = .failure(error)
        }
        terminal.restore()
        let end = try outcome.get()
        printError("[rookery] \(end.text(session))")
        if end.status != 0 { throw ExitCode(end.status) }
    }

    /// How an attachment ended.
    enum End: Equatable, Sendable {
        case detached
        case stopped(signal: Int32)
        case sessionEnded(code: Int32?, signal: Int32?, reason: String)

        /// The session's own ends are no failure; its command's status is its own.
        var status: Int32 {
            switch self {
            case .detached: 0
            case .stopped(let signal): 128 + signal
            case .sessionEnded(_, _, let reason) where Self.asked.contains(reason): 0
            case .sessionEnded(let code?, _, _): code
            case .sessionEnded(_, let signal?, _): 128 + signal
            case .sessionEnded: 1
            }
        }

        private static let asked = ["requested", "idle", "max_lifetime"]

        func text(_ session: String) -> String {
            switch self {
            case .detached: "detached; the session goes on: rookery attach \(session)"
            case .stopped(let signal): "stopped by signal \(signal); the session goes on: rookery attach \(session)"
            case .sessionEnded(_, _, let reason) where reason == "idle":
                "parked, because it was idle: rookery attach \(session) wakes it"
            case .sessionEnded(let code?, _, let reason) where reason == "exited":
                "the session's command exited with \(code): rookery resume \(session)"
            case .sessionEnded(_, _, let reason):
                "the session ended (\(printable(reason))): rookery resume \(session)"
            }
        }
    }
}
