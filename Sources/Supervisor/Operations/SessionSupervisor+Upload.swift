public import Foundation
public import Registry
public import SessionCore
import WorkerControl

extension SessionSupervisor {
    /// Gives the session a file, waking it when parked: in a directory of its own below `uploads` in the
    /// session's workspace.
    /// - Returns: its path as the session sees it.
    public func upload(
        _ id: SessionID, name: String, content: Data, by principal: Principal
    ) async throws(SupervisorError) -> String {
        guard content.count <= UploadPart.largestFile else {
            throw SupervisorError(.invalid, "a file has at most \(UploadPart.largestFile >> 20) MiB")
        }
        let upload = UUID().uuidString.lowercased().filter { $0 != "-" }
        return try await change(id, by: principal) { (supervisor, entry) async throws(SupervisorError) in
            var offset = 0
            var path = "\(SandboxLayout.home)/\(UploadPart(upload: upload, name: name, offset: 0, data: Data()).path)"
            repeat {
                let end = min(offset + UploadPart.largest, content.count)
                let part = UploadPart(
                    upload: upload, name: name, offset: offset,
                    data: content.subdata(in: content.startIndex + offset..<content.startIndex + end))
                let reply = try await supervisor.ask(entry, .upload(part), wake: .input, actor: principal.name)
                if case .message(let told) = reply, let place = told["path"]?.string { path = place }
                offset = end
            } while offset < content.count
            return path
        }
    }
}
