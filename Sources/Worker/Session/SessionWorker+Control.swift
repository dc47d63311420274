import Foundation
import Glibc
import NIOCore
import SessionCore
import WorkerControl

extension SessionWorker {
    var hello: WorkerHello {
        WorkerHello(
            version: ControlRequest.version, sessionID: configuration.sessionID,
            incarnation: configuration.incarnation, pid: getpid(), startTime: ProcessIdentity.startTime, status: status)
    }

    var status: WorkerStatus {
        let view = engine.view
        let clients =
            nativeClients.values.map { $0.view(driving: lease.drives($0.id)) }
            + echokit.clients.values.map { $0.view(driving: false) }
        return WorkerStatus(
            activity: view.activity, activitySince: view.since, activitySource: view.source.rawValue,
            backgroundShell: view.backgroundShell, lastInput: lastInput, lastOutput: lastOutput,
            clients: clients.sorted { $0.id < $1.id }, lastSequence: log.lastSequence, size: screen.size,
            transcriptPath: transcriptPath)
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

enum ProcessIdentity {
    /// Field 22 of `/proc/self/stat`, counted after the command's name, which may hold anything.
    static let startTime: UInt64 = {
        guard let stat = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
            let end = stat.lastIndex(of: ")")
        else { return 0 }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        return fields.count > 19 ? UInt64(fields[19]) ?? 0 : 0
    }()
}
