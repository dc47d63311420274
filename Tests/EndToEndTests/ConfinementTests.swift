import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// What supervisor and worker have given up, as the kernel shows it.
@Suite(.serialized)
struct ConfinementTests {
    /// The fields of /proc/<pid>/status.
    private static func status(of pid: Int32) throws -> [String: String] {
        let text = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        return Dictionary(
            text.split(separator: "\n").compactMap { line in
                let parts = line.split(separator: ":", maxSplits: 1).map {
                    $0.trimmingCharacters(in: .whitespaces)
                }
                return parts.count == 2 ? (parts[0], parts[1]) : nil
            }, uniquingKeysWith: { first, _ in first })
    }

    private static let nothing = "0000000000000000"

    /// The worker of the only session.
    private static func worker(below rookery: Rookery) throws -> Int32 {
        let record = try #require(
            FileManager.default.contentsOfDirectory(atPath: rookery.runtimeDirectory + "/launcher").first {
                $0.hasSuffix(".json")
            })
        let data = try Data(contentsOf: URL(filePath: "\(rookery.runtimeDirectory)/launcher/\(record)"))
        let pid = try JSONDecoder().decode(JSONValue.self, from: data)["worker"]?["pid"]?.integer
        return Int32(try #require(pid))
    }

    private static func expectConfined(_ pid: Int32, boundingSet: Bool) throws {
        let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
        for task in tasks {
            guard let status = try? status(of: Int32(task) ?? 0) else { continue }
            #expect(status["Seccomp"] == "2" && status["NoNewPrivs"] == "1", "thread \(task) of \(pid)")
            for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] { #expect(status[set] == nothing) }
            if boundingSet { #expect(status["CapBnd"] == nothing) }
        }
        #expect(tasks.count > 1)
    }

    @Test func supervisorAndWorkerHaveNoPrivilegesAndAFilter() async throws {
        try await Rookery.with { rookery in
            let id = try await rookery.api.create()
            try await rookery.api.waitFor(id, lifecycle: .running)
            try Self.expectConfined(
                try #require(rookery.supervisor).process.processIdentifier, boundingSet: Programs.isRoot)
            try Self.expectConfined(try Self.worker(below: rookery), boundingSet: Programs.isRoot)
        }
    }

    @Test func theSwitchForFindingFaultsIsLoud() async throws {
        try await Rookery.with(RookeryOptions(arguments: ["--no-confinement"])) { rookery in
            let id = try await rookery.api.create()
            try await rookery.api.waitFor(id, lifecycle: .running)
            let supervisor = try #require(rookery.supervisor)
            #expect(try Self.status(of: supervisor.process.processIdentifier)["Seccomp"] == "0")
            #expect(try Self.status(of: Self.worker(below: rookery))["Seccomp"] == "0")
            #expect(supervisor.errorText.contains("warning rookery: not confined"))
        }
    }
}
