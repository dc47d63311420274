import Foundation
import Glibc
import NIOCore
import SessionCore
import WorkerControl

extension SessionWorker {
    var hello: WorkerHello {
        WorkerHello(
            version: ControlRequest.version, sessionID: configuration.sessionID,
            incarnation: configuration.incarnation, pid: getpid(),
            startTime: ProcessIdentity(pid: getpid())?.startTime ?? 0, status: status,
            program: program)
    }

    var status: WorkerStatus {
        let view = self.view
        let clients =
            nativeClients.values.map { $0.view(driving: lease.drives($0.id)) }
            + echokit.clients.values.map { $0.view(driving: false) }
            + streamClients.values.map { $0.view(driving: false) }
        var status = WorkerStatus(
            activity: view.activity, activitySince: activitySince, activitySource: view.source.rawValue,
            backgroundShell: view.backgroundShell, lastInput: lastInput, lastOutput: lastOutput,
            clients: clients.sorted { $0.id < $1.id }, lastSequence: log.lastSequence, size: screen.size,
            transcriptPath: transcriptPath, frozenSince: frozenSince, journal: journal?.stall.map(JournalTrouble.init),
            monotonic: WorkerTimes(
                started: claimedAt ?? born.time, activitySince: born.time + view.since.timeIntervalSince(born.date),
                lastInput: inputTime, lastOutput: outputTime))
        status.isSpare = spare == nil ? nil : true
        return status
    }

    func screenContent(_ format: ScreenFormat) -> ScreenContent {
        let content =
            switch format {
            case .text, .json: screen.text()
            case .ansi: String(buffer: screen.snapshot())
            }
        return ScreenContent(
            size: screen.size, cursor: TerminalPosition(row: screen.cursor.row, col: screen.cursor.col),
            seq: log.lastSequence, title: screen.title, format: format, content: content)
    }
}
