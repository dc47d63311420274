import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// The same main job as an ordinary user with user namespaces alone.
@Suite(.serialized, .enabled(if: Programs.isRoot, "starts the supervisor as the user nobody"))
struct RootlessTests {
    @Test func anOrdinaryUserGetsASessionAndIsToldWhatIsNotEnforced() async throws {
        try await Rookery.with(RookeryOptions(user: "nobody")) { rookery in
            let api = rookery.api
            let id = try await api.create()
            try await api.waitForScreen(id, containing: "❯")
            try await api.input(id, "SAY rootless-answer")
            try await api.waitForScreen(id, containing: "● rootless-answer")

            let limits = try await api.session(id)["limits"]?.array ?? []
            let memory = try #require(limits.first { $0["name"]?.string == "memory" })
            #expect(memory["by"]?.string == "none")
            #expect(memory["note"]?.string?.isEmpty == false)
        }
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/newuidmap")))
    func withSubordinateIDsPidOneIsSomebodyElseAndTheFilesStayTheUsersOwn() async throws {
        let script = """
            file=$(mktemp) && echo nobody:200000:65536 > $file && chmod 644 $file || exit 1
            mount --bind $file /etc/subuid && mount --bind $file /etc/subgid && rm $file || exit 1
            exec "$@"
            """
        let wrapper = ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", script, "sh"]
        try await Rookery.with(RookeryOptions(user: "nobody", wrapper: wrapper)) { rookery in
            let id = try await rookery.api.create()
            try await rookery.api.waitForScreen(id, containing: "❯")
            let record = "\(rookery.runtimeDirectory)/launcher/\(id).json"
            let pids = try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: URL(filePath: record)))
            let pid = try #require(pids["sandbox"]?["pid"]?.integer)
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            #expect(status.contains("Uid:\t200000\t200000\t200000\t200000\n"))
            let home = "\(rookery.stateDirectory)/sessions/\(id)/home/.claude"
            #expect(try owner(of: home) == 65534)
        }
    }

    private func owner(of path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.ownerAccountID] as? Int
    }

    @Test func withoutUserNamespacesTheErrorNamesThem() async throws {
        // A user namespace of its own in which no further one may be made: what a hardened host looks like.
        let script = """
            echo 0 > /proc/sys/user/max_user_namespaces
            exec "$@"
            """
        let root = URL(fileURLWithPath: "/tmp")
        let probe = try await run(
            ["/usr/bin/unshare", "--user", "--map-root-user", "/bin/sh", "-c", script, "sh", "/bin/true"], logs: root)
        try #require(probe.status == 0)
        try await Rookery.with(
            RookeryOptions(
                arguments: ["--rootless"], user: nil,
                wrapper: [
                    "/usr/bin/unshare", "--user", "--map-root-user", "/bin/sh", "-c", script, "sh",
                ])
        ) { rookery in
            let answer = try await rookery.api.post("/v1/sessions", [:])
            #expect(answer.status == 503)
            #expect(answer.json["code"]?.string == "launch_failed")
            #expect(answer.text.contains("max_user_namespaces"))
        }
    }
}
