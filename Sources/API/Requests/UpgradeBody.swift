import SessionCore
import Supervisor

/// The body of `POST /v1/upgrade`.
struct UpgradeBody {
    var workers: WorkerRenewal
    var supervisor: Bool

    init(body: JSONValue) throws(Problem) {
        let fields = try BodyFields(body, allowed: ["workers", "supervisor"])
        let name = try fields.string("workers", most: 16)
        guard let workers = name.map({ WorkerRenewal(rawValue: $0) }) ?? .idle else {
            let known = WorkerRenewal.allCases.map(\.rawValue).joined(separator: ", ")
            throw Problem.invalid("'workers' must be one of \(known)", field: "workers")
        }
        self.workers = workers
        supervisor = try fields.bool("supervisor") ?? true
    }
}
