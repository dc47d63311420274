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
