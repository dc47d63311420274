import Foundation
import NIOHTTP1
import SessionCore
import Testing

@testable import rookery

/// `rookery serve` as a process, without any session.
@Suite(.serialized) struct ServeProcessTests {
    private static let isRoot = getuid() == 0
    private static let hasServiceUser = getpwnam("rookery") != nil

    @Test(.enabled(if: !isRoot || hasServiceUser, "root needs the service user: Scripts/setup makes it"))
    func `it says where it listens, is ready, and stops when asked`() async throws {
        try await ServerProcess.with { server in
            let client = ServerClient(address: try server.address(), token: nil)
            #expect(try await client.send(.GET, "/readyz")["ready"]?.bool == true)
            let token = try String(contentsOfFile: server.directory + "/state/admin-token", encoding: .utf8)
            let mine = ServerClient(
                address: try server.address(), token: token.trimmingCharacters(in: .whitespacesAndNewlines))
            #expect(try await mine.sessions().isEmpty)
            await #expect(throws: Failure.self) { try await client.sessions() }
            #expect(try await server.stop() == 0)
            #expect(!FileManager.default.fileExists(atPath: server.directory + "/run/gateway.sock"))
        }
    }

    @Test(.enabled(if: isRoot && hasServiceUser, "only root has something to give up"))
    func `started by root, no thread stays root`() async throws {
        try await ServerProcess.with { server in
            let tasks = "/proc/\(server.pid)/task"
            let threads = try FileManager.default.contentsOfDirectory(atPath: tasks)
            #expect(threads.count > 2)
            for thread in threads {
                let status = try String(contentsOfFile: "\(tasks)/\(thread)/status", encoding: .utf8)
                let lines = status.split(separator: "\n")
                #expect(!lines.contains { $0.hasPrefix("Uid:") && $0.split(separator: "\t").contains("0") })
                #expect(!lines.contains { $0.hasPrefix("Gid:") && $0.split(separator: "\t").contains("0") })
                #expect(lines.contains { $0.hasPrefix("CapEff:") && $0.hasSuffix("\t0000000000000000") })
            }
        }
    }

    @Test(.enabled(if: isRoot, "becomes the user nobody"))
    func `an ordinary user can run it`() async throws {
        try await ServerProcess.with(user: "nobody") { server in
            let client = ServerClient(address: try server.address(), token: nil)
            #expect(try await client.send(.GET, "/readyz")["ready"]?.bool == true)
        }
    }

    @Test(.enabled(if: !isRoot || hasServiceUser))
    func `a second server on the same directories is refused and the first goes on`() async throws {
        try await ServerProcess.with { server in
            let state = try ServerProcess(directory: server.directory, runtime: "/run2")
            #expect(try await state.ended() == 1)
            #expect(state.errors.contains("locked"))
            let runtime = try ServerProcess(directory: server.directory, state: "/state2")
            #expect(try await runtime.ended() == 1)
            #expect(runtime.errors.contains("runtime directory is locked"))
            let client = ServerClient(address: try server.address(), token: nil)
            #expect(try await client.send(.GET, "/readyz")["ready"]?.bool == true)
        }
    }

    @Test(.enabled(if: !isRoot || hasServiceUser))
    func `a reload takes over what is right and leaves what is wrong`() async throws {
        try await ServerProcess.with { server in
            let policies = server.directory + "/policies"
            try "idle_timeout: nonsense\n".write(toFile: policies + "/x.yaml", atomically: true, encoding: .utf8)
            kill(server.pid, SIGHUP)
            try await server.until { server.errors.contains("configuration not taken over") }
            try FileManager.default.removeItem(atPath: policies + "/x.yaml")
            kill(server.pid, SIGHUP)
            try await server.until { server.errors.contains("configuration read again") }
            _ = try await ServerClient(address: server.address(), token: nil).send(.GET, "/readyz")
        }
    }

    @Test func `a mistake in the configuration is named`() async throws {
        let server = try ServerProcess(directory: try ServerProcess.makeDirectory(), more: ["--max-sessions", "none"])
        #expect(try await server.ended() == 1)
        #expect(server.errors.contains("--max-sessions: 'none'"))
        try FileManager.default.removeItem(atPath: server.directory)
    }
}
