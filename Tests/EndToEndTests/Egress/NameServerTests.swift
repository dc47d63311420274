import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// A server of names that hangs, as the system's own resolver has it.
@Suite(.serialized, .timeLimit(.minutes(4)), .enabled(if: Programs.isRoot, "gives the supervisor a resolv.conf"))
struct NameServerTests {
    /// Asks for names that nobody answers for, 60 at once, and says what it was told.
    private static let hostile = """
        import collections, socket, threading, time
        end = time.time() + 20
        told = collections.Counter()
        longest = 0
        def ask(thread):
            global longest
            number = 0
            while time.time() < end:
                number += 1
                start = time.time()
                with socket.create_connection(("127.0.0.1", 3128)) as proxy:
                    name = "n%d-%d.hang.example:443" % (thread, number)
                    proxy.sendall(("CONNECT %s HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n" % (name, name)).encode())
                    answer = b"".join(iter(lambda: proxy.recv(4096), b"")).decode()
                told[answer.split(" ")[1] + " " + answer.split("x-rookery-refused: ")[1].split("\\r")[0]] += 1
                longest = max(longest, time.time() - start)
        threads = [threading.Thread(target=ask, args=[number]) for number in range(60)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print("longest %.1f" % longest, *sorted(told), sep="\\n")
        """

    @Test func aSessionThatAsksForNamesThatNobodyAnswersForSlowsNoOther() async throws {
        let files = URL(fileURLWithPath: "/tmp/rkn-\(UUID().uuidString.prefix(8).lowercased())")
        try FileManager.default.createDirectory(at: files, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: files) }
        let server = try RunningProgram(
            ["/usr/bin/python3", Programs.packageRoot.path + "/Tests/EndToEndTests/Egress/name_server.py"],
            logs: files, name: "names")
        do {
            let address = try await server.line(startingWith: "address ")
            try await EgressSite.with(
                policies: ["team": "egress: {mode: open}\n"], hosts: ["stand.example"], nameServer: address
            ) {
                site in
                let (id, neighbour) = (try await site.session(policy: "team"), try await site.session(policy: "team"))
                try Self.hostile.write(
                    to: site.directory.appending(path: "hostile.py"), atomically: true, encoding: .utf8)
                try site.copy(site.directory.appending(path: "hostile.py"), to: "hostile.py", of: id)
                let attack = try site.begin("python3 hostile.py", in: id)
                try await Task.sleep(for: .seconds(2))
                let asked = try await site.execute(
                    """
                    for n in $(seq 30); do
                        curl -s -o /dev/null -w '%{http_code} %{time_total}\\n' http://n$n.good.example/
                    done
                    """, in: neighbour)
                let lines = asked.output.split(separator: "\n").map { $0.split(separator: " ") }
                // Looked up, and refused for where it leads.
                #expect(lines.count == 30 && lines.allSatisfy { $0.first == "403" }, "\(asked)")
                let times = lines.compactMap { $0.last.flatMap { Double($0) } }.sorted()
                #expect(times.last ?? 9 < 2 && times[times.count / 2] < 0.3, "\(times)")
                #expect(!FileManager.default.fileExists(atPath: attack + ".status"), "the attack was over too soon")

                let (status, output) = try await site.end(of: attack, within: .seconds(60))
                #expect(status == 0, "\(output)")
                let told = output.split(separator: "\n").map(String.init)
                #expect(Set(told.dropFirst()) == ["429 lookup", "504 lookup"], "\(output)")
                // The time-out, and a turn among 60.
                #expect(told.first.flatMap { Double($0.dropFirst(8)) } ?? 99 < 12, "\(output)")
                let refusals = try await site.rookery.api.get("/v1/sessions/\(id)/egress").json["refusals"]?.array ?? []
                #expect(refusals.contains { $0["reason"] == "lookup" }, "\(refusals)")
            }
        } catch {
            await server.end()
            throw error
        }
        await server.end()
    }
}
