import EndToEndSupport
import Foundation
import Glibc
import SessionCore
import Synchronization
import Testing

/// `rookery upgrade` on an installation of its own programs, with sessions alive and somebody typing.
@Suite(.serialized, .timeLimit(.minutes(10))) struct UpgradeTests {
    /// An installation with a steward, whose programs a test may replace. Sessions are shells.
    private func run(_ body: (Rookery, InstalledPrograms) async throws -> Void) async throws {
        let programs = try InstalledPrograms()
        defer { programs.remove() }
        var options = RookeryOptions(startCommand: try programs.shell())
        options.programs = programs.directory
        options.arguments = ["--steward"]
        try await Rookery.with(options) { try await body($0, programs) }
    }

    private func upgrade(_ rookery: Rookery, _ arguments: String...) async throws
        -> (status: Int32, output: String, errors: String)
    {
        try await EndToEndSupport.run(
            [Programs.built("rookery"), "upgrade", "--server", rookery.address] + arguments,
            environment: ["ROOKERY_TOKEN": rookery.api.token ?? ""], within: .seconds(120), logs: rookery.root)
    }

    @Test func theSupervisorIsReplacedAndNobodyIsRefusedOrCutOff() async throws {
        try await run { rookery, programs in
            let id = try await rookery.api.create()
            try await rookery.api.waitForScreen(id, containing: "$")
            let client = try await rookery.api.terminal(id)
            let before = try await rookery.api.get("/v1/upgrade").json
            #expect(before["replaceable"] == true)
            let worker = try #require(rookery.worker(of: id))

            let knocking = try Knocking(rookery)
            let isOver = Mutex(false)
            let typing = Task {
                var lines = 0
                while !isOver.withLock({ $0 }) {
                    lines += 1
                    try await client.type("echo typed-$((\(lines)+1000))\r")
                    try await client.waitForText("typed-\(lines + 1000)")
                }
                return lines
            }
            try programs.replace("rookery")
            let upgraded = try await upgrade(rookery)
            #expect(upgraded.status == 0, "\(upgraded.errors)")
            #expect(upgraded.output.contains("supervisor: 0."), "\(upgraded.output)")
            #expect(upgraded.output.contains("\(id) runs under the installed worker"), "\(upgraded.output)")
            isOver.withLock { $0 = true }
            #expect(try await typing.value > 0)
            let knocked = try await knocking.end()
            #expect(knocked["refused"]?.integer == 0)
            #expect(knocked["served"]?.integer ?? 0 > 10)
            print("upgrade beside requests on new connections: \(knocked) (longest in ms)")

            let after = try await rookery.api.get("/v1/upgrade").json
            #expect(after["instance"] != before["instance"])
            #expect(after["pid"] != before["pid"])
            #expect(after["last"]?["outcome"] == "upgraded")
            // The same worker, the same client: it types on. The service has the pid that it was started with.
            #expect(rookery.worker(of: id) == worker)
            try await client.type("echo still-$((40+2))\r")
            try await client.waitForText("still-42")
            #expect(rookery.supervisor?.process.isRunning == true)
            #expect(try await rookery.api.session(id)["incarnation"]?.integer == 1)
            await client.close()
        }
    }

    @Test func aWorkerMakesWayOnceItsSessionIsQuietAndClientsAreToldToComeBack() async throws {
        try await run { rookery, programs in
            let id = try await rookery.api.create()
            try await rookery.api.waitForScreen(id, containing: "$")
            try await rookery.api.waitFor(id, activity: .idle)
            let worker = try #require(rookery.worker(of: id))
            let client = try await rookery.api.terminal(id)
            try programs.replace("rookery-worker")
            // Left alone unless it is asked for.
            #expect(try await upgrade(rookery, "--workers", "never").output.contains("goes on under the older worker"))
            #expect(try await rookery.api.session(id)["flags"]?.array?.contains("draining") == false)
            #expect(rookery.worker(of: id) == worker)

            let upgraded = try await upgrade(rookery, "--workers-only", "--workers", "now", "--wait")
            #expect(upgraded.status == 0, "\(upgraded.errors)")
            #expect(upgraded.output.contains("\(id) runs under the new worker"), "\(upgraded.output)")
            #expect(rookery.worker(of: id) != worker)
            let session = try await rookery.api.session(id)
            #expect(session["lifecycle"] == "running")
            #expect(session["incarnation"]?.integer == 2)
            try await eventually("the client to be sent away") { await client.closeCode == 1012 ? true : nil }
            let again = try await rookery.api.terminal(id)
            try await again.type("echo back-$((40+2))\r")
            try await again.waitForText("back-42")
            await again.close()
            #expect(!FileManager.default.fileExists(atPath: "\(rookery.stateDirectory)/renew-workers"))
        }
    }

    /// What replaces the program, and what is said of it.
    static let broken = [
        // Does not pass its own check.
        ("#!/bin/sh\necho it is broken >&2\nexit 3\n", "it is broken"),
        // Passes, and ends before it has taken anything over.
        ("#!/bin/sh\ncase \"$*\" in *--check*) exit 0 ;; esac\nexit 7\n", "status 7"),
        // Takes over, and dies.
        (
            """
            #!/usr/bin/python3
            import json, os, socket, sys
            if "--check" in sys.argv: sys.exit(0)
            control = socket.socket(fileno=json.loads(os.environ["ROOKERY_STEWARD"])["control"])
            control.send(b"prepared")
            control.recv(100)
            sys.exit(9)

            """, "status 9"
        ),
    ]

    @Test(arguments: 0..<3) func aReleaseThatDoesNotComeUpLeavesTheOneBeforeInPlace(case number: Int) async throws {
        let (script, says) = Self.broken[number]
        try await run { rookery, programs in
            let id = try await rookery.api.create()
            try await rookery.api.waitForScreen(id, containing: "$")
            let client = try await rookery.api.terminal(id)
            try programs.replace("rookery", with: script)
            let upgraded = try await upgrade(rookery)
            #expect(upgraded.status == 1)
            #expect(upgraded.errors.contains(says), "\(upgraded.errors)")
            try await client.type("echo on-$((40+2))\r")
            try await client.waitForText("on-42")
            try await rookery.api.input(id, "echo in-$((40+2))")
            try await client.waitForText("in-42")
            await client.close()
            // Mended, it goes.
            try programs.replace("rookery")
            #expect(try await upgrade(rookery).status == 0)
        }
    }

    @Test func withoutAStewardItSaysWhatToDo() async throws {
        try await Rookery.with { rookery in
            let refused = try await upgrade(rookery)
            #expect(refused.status == 1)
            #expect(refused.errors.contains("--steward"), "\(refused.errors)")
        }
    }

    @Test func killedWithItsStewardAServiceStartsAgain() async throws {
        try await run { rookery, _ in
            let id = try await rookery.api.create()
            try await rookery.api.waitForScreen(id, containing: "$")
            await rookery.endSupervisor(signal: SIGKILL)
            try await rookery.restartIfDead()
            try await rookery.api.waitFor(id, lifecycle: .running)
            #expect(try await rookery.api.session(id)["incarnation"]?.integer == 1)
        }
    }
}

/// Connects and asks for something again and again, and counts what comes of it.
private struct Knocking {
    private let program: RunningProgram

    private static let script = """
        import json, os, socket, sys, time
        count = {"served": 0, "refused": 0, "cut": 0, "longest": 0}
        while not os.path.exists(sys.argv[2]):
            begin = time.monotonic()
            try:
                with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 60) as s:
                    s.sendall(b"GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
                    count["served" if s.recv(100).startswith(b"HTTP/1.1 200") else "cut"] += 1
            except ConnectionRefusedError: count["refused"] += 1
            except OSError: count["cut"] += 1
            count["longest"] = max(count["longest"], int((time.monotonic() - begin) * 1000))
            time.sleep(0.01)
        print(json.dumps(count))
        """

    private let flag: String

    init(_ rookery: Rookery) throws {
        let port = rookery.address.split(separator: ":").last.map(String.init) ?? ""
        flag = rookery.root.appending(path: "knocked-enough").path
        program = try RunningProgram(
            ["/usr/bin/python3", "-c", Self.script, port, flag], logs: rookery.root, name: "knocking")
    }

    func end() async throws -> JSONValue {
        _ = FileManager.default.createFile(atPath: flag, contents: nil)
        try await eventually("the last answer") { program.process.isRunning ? nil : true }
        return try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: program.output))
    }
}
