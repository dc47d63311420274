import Foundation
import Testing

/// `rookery policy`, as a person or a script runs it.
@Suite struct PolicyCommandTests {
    func withDirectory(_ files: [String: String], _ body: (String) throws -> Void) throws {
        let directory = NSTemporaryDirectory() + "rpc-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for (name, text) in files { try Data(text.utf8).write(to: URL(filePath: "\(directory)/\(name)")) }
        try body(directory)
    }

    func rookery(_ arguments: String...) throws -> (status: Int32, output: String) {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let process = Process()
        process.executableURL = root.appending(path: ".build/debug/rookery")
        process.arguments = ["policy"] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    @Test func checkTellsEachFaultOnALineOfItsOwn() throws {
        try withDirectory(["bad.yaml": "idle_timeot: 5m\ngrace: long\n", "good.yaml": "grace: 1s\n"]) { directory in
            let (status, output) = try rookery("check", "\(directory)/good.yaml", "\(directory)/bad.yaml")
            #expect(status == 1)
            let lines = output.split(separator: "\n")
            #expect(lines.count == 2)
            #expect(lines.first?.hasPrefix("\(directory)/bad.yaml:1: idle_timeot: unknown key; did you mean") == true)
            #expect(lines.last?.hasPrefix("\(directory)/bad.yaml:2: grace: ") == true)
            let fine = try rookery("check", "\(directory)/good.yaml")
            #expect(fine.status == 0 && fine.output.isEmpty)
            let json = try rookery("check", "--output", "json", "\(directory)/bad.yaml")
            let document = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
            #expect((document?["faults"] as? [[String: Any]])?.map { $0["line"] as? Int } == [1, 2])
        }
    }

    @Test func showPrintsTheFileOrWhatResultsOfIt() throws {
        try withDirectory(["base.yaml": "grace: 3s\n", "team.yaml": "extends: base\nidle_timeout: 5m\n"]) { directory in
            let written = try rookery("show", "team", "--policies", directory)
            #expect(written.output == "extends: base\nidle_timeout: 5m\n")
            let resolved = try rookery("show", "team", "--resolved", "--policies", directory)
            #expect(resolved.output.contains("\ngrace: 3s\nmax_lifetime: never\n"))
            let absent = try rookery("show", "none", "--policies", directory)
            #expect(absent.status == 1)
            #expect(absent.output.contains("there are base, default, team"))
            // What is shown can be used as it is.
            try Data(resolved.output.utf8).write(to: URL(filePath: "\(directory)/team.yaml"))
            let copy = try rookery("show", "team", "--resolved", "--policies", directory)
            #expect(copy.output == resolved.output)
        }
    }

    @Test func listNamesEveryPolicy() throws {
        try withDirectory(["team.yaml": "description: Ours.\n"]) { directory in
            let (status, output) = try rookery("list", "--policies", directory)
            #expect(status == 0)
            #expect(output.split(separator: "\n").map { $0.prefix { $0 != " " } } == ["NAME", "default", "team"])
            #expect(output.contains("Ours."))
        }
    }
}
