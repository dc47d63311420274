import EndToEndSupport
import Foundation

extension Rookery {
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

    /// Whether the supervisor itself still has its end of a client's connection.
    func supervisorHolds(_ client: WireClient) throws -> Bool {
        guard let pid = supervisor?.pid, let port = client.localPort else { return false }
        let own = Set(
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").compactMap { name in
                try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\(name)")
            })
        let remote = ":" + String(port, radix: 16, uppercase: true).padding(4)
        return try String(contentsOfFile: "/proc/net/tcp", encoding: .utf8).split(separator: "\n").contains { line in
            let fields = line.split(separator: " ")
            return fields.count > 9 && fields[2].hasSuffix(remote) && own.contains("socket:[\(fields[9])]")
        }
    }
}

extension String {
    fileprivate func padding(_ width: Int) -> String { String(repeating: "0", count: max(0, width - count)) + self }
}
