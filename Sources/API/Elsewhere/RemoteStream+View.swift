import Registry
import SessionCore
import Supervisor
import WorkerControl

/// What it looks like from outside.
extension RemoteStream {
    var permissions: [JSONValue] { session.permissions.open.map(\.data) }

    var standing: JSONValue {
        let view = session.engine.view
        return [
            "kind": "remote", "lifecycle": .string(lifecycle.rawValue), "activity": .string(view.activity.rawValue),
            "permissions": .array(permissions), "settings": .object(session.engine.settings),
            "queued": .array(
                session.engine.prompts.filter { !$0.isBegun }.map {
                    ["prompt_id": .string($0.id), "text": EventText.cut($0.text), "by": .string($0.by)]
                }), "seq": .integer(Int64(clamping: log?.lastSequence ?? 0)),
        ]
    }

    /// The registry's record with what is known here.
    func view(of record: SessionRecord) -> SessionView {
        var record = record
        let settings = session.engine.settings
        record.lifecycle = lifecycle
        record.model = settings["model"]?.string
        record.permissionMode = settings["permission_mode"]?.string
        record.lastActivityAt = max(record.lastActivityAt, lastActivity)
        record.lastSequence = max(record.lastSequence, log?.lastSequence ?? 0)
        return SessionView(
            record: record, worker: status, unresponsive: lifecycle == .running && program == nil, parksAt: nil)
    }

    private var status: WorkerStatus? {
        guard lifecycle == .running else { return nil }
        let activity = session.engine.view.activity
        return WorkerStatus(
            activity: activity, activitySince: lastActivity, activitySource: "stream", backgroundShell: false,
            lastInput: nil, lastOutput: lastActivity, clients: [], lastSequence: log?.lastSequence ?? 0,
            size: .standard, transcriptPath: nil)
    }
}
