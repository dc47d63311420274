import CLinux
import Foundation
import Glibc
import Testing
import WorkerControl

@testable import Worker

@Suite("How a worker starts")
struct StartTests {
    @Test("without a configuration it says so and exits with 1", arguments: ["", "{}", "not json"])
    func noConfiguration(content: String) async throws {
        let memory = content.withCString { rk_sealed_memory("configuration", $0, content.utf8.count) }
        let null = open("/dev/null", O_WRONLY | O_CLOEXEC)
        let worker = try ChildProcess([WorkerFixture.worker], descriptors: [2: null, 3: memory])
        close(memory)
        close(null)
        #expect(await worker.wait() >> 8 == 1)
    }

    @Test("what keeps it from serving is told, and it exits with 1")
    func unusableHome() async throws {
        let folder = "/tmp/rkh-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["home", "journal"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        symlink("/tmp", folder + "/home/.claude")
        let kept = WorkerFixture.Kept(home: folder + "/home", journal: folder + "/journal")
        let failure = await #expect(throws: TimedOut.self) {
            try await WorkerFixture.with(["cat"], kept: kept) { _ in }
        }
        #expect(failure?.description.contains("error: ") == true, "\(failure?.description ?? "")")
        #expect(failure?.description.contains("and ended with \(1 << 8)") == true, "\(failure?.description ?? "")")
    }

    @Test("the home is seeded, old status files are removed, and links are not followed")
    func seed() throws {
        let folder = "/tmp/rkh-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: folder + "/home/.claude/sessions", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data("{}".utf8).write(to: URL(fileURLWithPath: folder + "/home/.claude/sessions/9.json"))
        try Data("secret".utf8).write(to: URL(fileURLWithPath: folder + "/outside"))
        symlink(folder + "/outside", folder + "/home/link")
        symlink("/etc", folder + "/home/etc")
        mkfifo(folder + "/home/pipe", 0o600)
        let home = HomeDirectory(descriptor: open(folder + "/home", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        defer { close(home.descriptor) }
        try home.seed(isFirst: true)
        #expect(home.names(in: HomeDirectory.statusDirectory, limit: 10).isEmpty)
        let configuration = try #require(home.read(".claude/.claude.json", limit: 1 << 20))
        #expect(String(decoding: configuration, as: UTF8.self).contains("hasCompletedOnboarding"))
        #expect(home.read("link", limit: 100) == nil)
        #expect(home.read("etc/passwd", limit: 1 << 20) == nil)
        #expect(home.read("../outside", limit: 100) == nil)
        #expect(home.read("pipe", limit: 100) == nil)
        #expect(throws: SystemCallError.self) { try home.write(Data("x".utf8), to: "etc/x", mode: 0o600) }
    }

    @Test("a home whose configuration directory is a link is refused")
    func linkedHome() throws {
        let folder = "/tmp/rkh-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder + "/home", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        symlink("/tmp", folder + "/home/.claude")
        let home = HomeDirectory(descriptor: open(folder + "/home", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        defer { close(home.descriptor) }
        #expect(throws: SystemCallError.self) { try home.seed(isFirst: true) }
    }
}
