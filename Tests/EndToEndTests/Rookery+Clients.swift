import EndToEndSupport
import Foundation

extension Rookery {
    /// The pid of a session's worker.
    func worker(of session: String) -> Int32? {
        processes(of: session).first { $0.command.split(separator: "\0").first?.hasSuffix("rookery-worker") == true }?
            .pid
    }

    /// Has a session's worker be one that takes no sockets.
    func forgetHandOver(_ session: String) throws {
        try FileManager.default.removeItem(atPath: "\(runtimeDirectory)/w/\(session)/handover.sock")
    }

    /// What a process has open.
    func descriptors(of pid: Int32) -> [String] {
        let folder = "/proc/\(pid)/fd"
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
        }.sorted()
    }

    /// How many clients the supervisor has relayed, as it says in its log.
    var relayed: Int { (supervisor?.errorText ?? "").components(separatedBy: "client is relayed").count - 1 }
}
