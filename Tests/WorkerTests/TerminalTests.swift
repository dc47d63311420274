import Foundation
import NIOCore
import NIOWebSocket
import SessionCore
import Testing
import WorkerControl

@Suite("The terminal and its clients", .timeLimit(.minutes(2)))
struct TerminalTests {
    @Test("keys reach the program and its output comes back", arguments: Way.allCases)
    func echo(way: Way) async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let client = try await TestClient.attach(to: fixture, over: way)
            client.send(keys: "hello\r")
            try await client.shows("hello\r\nhello\r\n")
            try await client.message("mark")
        }
    }

    @Test("the driver's size is the program's size", arguments: Way.allCases)
    func resize(way: Way) async throws {
        try await WorkerFixture.with(["bash", "--norc"]) { fixture in
            let client = try await TestClient.attach(to: fixture, over: way, size: TerminalSize(cols: 101, rows: 33))
            client.send(keys: "stty size\r")
            try await client.shows("33 101")
            client.send(text: #"{"type":"resize","cols":120,"rows":40}"#)
            try await eventually("the new size") {
                client.send(keys: "stty size\r")
                try await Task.sleep(for: .milliseconds(200))
                return client.received.screen.contains("40 120")
            }
        }
    }

    @Test("a new client gets the screen, then what follows", arguments: Way.allCases)
    func snapshotThenLive(way: Way) async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let first = try await TestClient.attach(to: fixture, over: way)
            first.send(keys: "before\r")
            try await first.shows("before\r\nbefore")
            let second = try await TestClient.attach(to: fixture, over: way, principal: "bob")
            #expect(try #require(second.snapshot).contains("before"))
            first.send(keys: "after\r")
            try await second.shows("after")
            #expect(!second.received.screen.contains("before"))
        }
    }

    @Test("a client that comes back gets exactly what it missed", arguments: Way.allCases)
    func since(way: Way) async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let first = try await TestClient.attach(to: fixture, over: way)
            first.send(keys: "one\r")
            try await first.shows("one\r\none")
            let mark = try await eventually("a mark after the output") { () -> UInt64? in
                try await Task.sleep(for: .milliseconds(300))
                return first.received.texts.last { $0["type"] == "mark" }?["seq"]?.integer.map { UInt64($0) }
            }
            first.send(keys: "two\r")
            try await first.shows("two\r\ntwo")
            await first.close()
            let second = try await TestClient.attach(to: fixture, over: way, since: mark)
            try await second.shows("two\r\ntwo")
            #expect(!second.received.screen.contains("one"))
            #expect(second.snapshot == nil)
        }
    }

    @Test("a client that is too far behind, or ahead, gets a snapshot", arguments: [UInt64(5), 1_000_000])
    func gap(since: UInt64) async throws {
        let flood = "for i in $(seq 2000); do echo line-$i-xxxxxxxxxxxxxxxxxxxxxxxxxxxx; done; exec cat"
        try await WorkerFixture.with(["bash", "-c", flood], firstSequence: 3, logBytes: 4096) { fixture in
            let first = try await TestClient.attach(to: fixture)
            try await eventually("the flood's end") {
                first.received.screen.contains("line-2000") || first.snapshot?.contains("line-2000") == true
            }
            let second = try await TestClient.attach(to: fixture, since: since)
            #expect(try #require(second.snapshot).contains("line-2000"))
        }
    }

    @Test(
        "a client that does not read holds up nobody, costs no memory, and then gets the screen",
        arguments: Way.allCases)
    func slowClient(way: Way) async throws {
        try await WorkerFixture.with(["bash", "--norc"]) { fixture in
            let slow = try await TestClient.attach(to: fixture, over: way)
            try await slow.read(false)
            let quick = try await TestClient.attach(to: fixture, over: way, mode: "view", principal: "bob")
            let before = try fixture.residentMemory()
            slow.send(keys: "yes 0123456789012345678901234567890123456789 | head -c 8000000; echo the-$((1+1))-end\r")
            try await eventually("the flood's end", within: 100) {
                quick.received.screen.suffix(4000).contains("the-2-end")
                    || quick.snapshot?.contains("the-2-end") == true
            }
            #expect(try fixture.residentMemory() - before < 40 << 20)
            try await slow.read(true)
            try await eventually("a snapshot for the slow client") {
                slow.received.texts.filter { $0["type"] == "snapshot" }.count > 1
            }
            #expect(slow.received.binary.count < 6_000_000)
        }
    }

    @Test("a client that acknowledges nothing more gets no more than its window", arguments: Way.allCases)
    func acknowledgements(way: Way) async throws {
        try await WorkerFixture.with(["bash", "--norc"]) { fixture in
            let client = try await TestClient.attach(to: fixture, over: way)
            let first = try await client.message("snapshot")
            client.send(text: #"{"type":"ack","seq":\#(first["seq"]?.integer ?? 0)}"#)
            client.send(keys: "yes 0123456789 | head -c 5500000; echo the-$((1+1))-end\r")
            try await eventually("the window to fill", within: 60) { client.received.binary.count > 4 << 20 }
            try await Task.sleep(for: .seconds(2))
            #expect(client.received.binary.count < 5 << 20)
            try await eventually("a snapshot after acknowledging", within: 60) {
                let mark = client.received.texts.last { $0["type"] == "mark" || $0["type"] == "snapshot" }
                client.send(text: #"{"type":"ack","seq":\#(mark?["seq"]?.integer ?? 0)}"#)
                try await Task.sleep(for: .milliseconds(100))
                return client.snapshot?.contains("the-2-end") == true
                    || client.received.screen.suffix(1000).contains("the-2-end")
            }
        }
    }

    @Test("a viewer's keys are refused, and so is its wish to take over", arguments: Way.allCases)
    func viewOnly(way: Way) async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let viewer = try await TestClient.attach(to: fixture, over: way, access: .view)
            viewer.send(keys: "nope\r")
            try await viewer.message("error") { $0["code"] == "view_only" }
            try await Task.sleep(for: .milliseconds(300))
            viewer.send(text: #"{"type":"take_over"}"#)
            try await viewer.message("error") { $0["code"] == "not_allowed" }
            let driver = try await TestClient.attach(to: fixture, over: way)
            driver.send(keys: "yes\r")
            try await viewer.shows("yes\r\nyes")
            #expect(!viewer.received.screen.contains("nope"))
        }
    }

    @Test("taking over moves the keys and the size", arguments: Way.allCases)
    func takeOver(way: Way) async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let first = try await TestClient.attach(to: fixture, over: way, size: TerminalSize(cols: 90, rows: 30))
            let second = try await TestClient.attach(
                to: fixture, size: TerminalSize(cols: 70, rows: 20), principal: "bob")
            second.send(keys: "too early\r")
            try await second.message("error") { $0["code"] == "not_driving" }
            second.send(text: #"{"type":"take_over"}"#)
            try await second.message("driver") { $0["you"] == true }
            try await first.message("driver") { $0["you"] == false && $0["principal"] == "bob" }
            try await first.message("snapshot") { $0["cols"] == 70 && $0["rows"] == 20 }
            second.send(keys: "mine\r")
            try await first.shows("mine\r\nmine")
            await second.close()
            try await eventually("the first to drive again") {
                first.received.texts.filter { $0["type"] == "driver" }.last?["you"] == true
            }
        }
    }

    @Test("bad messages are answered, too long ones close the connection", arguments: Way.allCases)
    func badInput(way: Way) async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            let client = try await TestClient.attach(to: fixture, over: way)
            client.send(text: "{nonsense")
            try await client.message("error") { $0["code"] == "malformed_message" }
            client.send(.ping, ByteBuffer(string: "x"))
            try await eventually("a pong") { client.received.pongs == 1 }
            client.send(text: #"{"type":"ping"}"#)
            try await client.message("pong")
            client.send(.binary, ByteBuffer(repeating: 0x61, count: (1 << 20) + 1))
            try await eventually("the close") { client.received.closeCode == 1009 }

            let fragments = try await TestClient.attach(to: fixture, over: way)
            fragments.send(.binary, ByteBuffer(repeating: 0x61, count: 700_000), fin: false)
            fragments.send(.continuation, ByteBuffer(repeating: 0x61, count: 700_000))
            try await eventually("the close") { fragments.received.closeCode == 1009 }

            let silent = try await TestClient.connect(to: fixture, over: way)
            silent.send(text: #"{"type":"resize","cols":80,"rows":24}"#)
            try await silent.message("error") { $0["code"] == "hello_missing" }
        }
    }

    @Test("what is no client is turned away", arguments: ["/nowhere", "/"])
    func refused(path: String) async throws {
        try await WorkerFixture.with(["cat"]) { fixture in
            await #expect(throws: TimedOut.self) { try await TestClient.connect(to: fixture, path: path) }
            _ = try await TestClient.attach(to: fixture)
        }
    }

    @Test("a program that closes and reopens its terminal harms nobody")
    func reopen() async throws {
        let script = """
            import os, time
            end = time.time() + 3
            n = 0
            while time.time() < end:
                for fd in (0, 1, 2): os.close(fd)
                for fd in (0, 1, 2): os.open('/dev/tty' if n % 2 else os.environ['TTY'], os.O_RDWR)
                n += 1
            for fd in (0, 1, 2): os.set_inheritable(fd, True)
            os.write(1, b'survived %d\\n' % n)
            os.execvp('cat', ['cat'])
            """
        try await WorkerFixture.with(["bash", "-c", "export TTY=$(tty); exec python3 -c \"$1\"", "x", script]) {
            fixture in
            let client = try await TestClient.attach(to: fixture)
            try await client.shows("survived")
            client.send(keys: "still here\r")
            try await client.shows("still here\r\nstill here")
        }
    }
}
