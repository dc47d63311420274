import Foundation
import NIOCore
import Testing

@testable import Gateway

@Suite struct UsageReadingTests {
    private static let stream = """
        event: message_start\r
        data: {"type":"message_start","message":{"id":"msg_1","model":"claude-opus-5","usage":{"input_tokens":3,\
        "cache_creation_input_tokens":100,"cache_read_input_tokens":7,"output_tokens":1,\
        "cache_creation":{"ephemeral_5m_input_tokens":60,"ephemeral_1h_input_tokens":40}}}}\r
        \r
        : a comment
        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\\"usage\\":{\\"output_tokens\\":9999}"}}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":0,"output_tokens":42,\
        "server_tool_use":{"web_search_requests":2}}}

        event: message_stop
        data: {"type":"message_stop"}


        """

    private static let expected = TokenUsage(
        input: 3, output: 42, cacheRead: 7, cacheWrite5m: 60, cacheWrite1h: 40, webSearches: 2)

    @Test(arguments: [1, 2, 3, 7, 64, 100_000])
    func `a stream is understood in pieces of any size`(size: Int) {
        var meter = ResponseMeter(contentType: "text/event-stream; charset=utf-8", isMessage: true)
        var progress: [ResponseMeter.Progress] = []
        let bytes = Array(Self.stream.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            let told = meter.read(ByteBuffer(bytes: bytes[start..<min(start + size, bytes.count)]))
            if told != .nothing { progress.append(told) }
        }
        #expect(meter.usage == Self.expected)
        #expect(meter.model == "claude-opus-5")
        #expect(progress.last == .complete)
        #expect(meter.finish() == .nothing)
    }

    @Test func `a line without end costs no memory and hides nothing after it`() {
        var scanner = StreamScanner()
        for _ in 0..<64 {
            #expect(scanner.read(ByteBuffer(repeating: UInt8(ascii: "x"), count: 64 << 10)).isEmpty)
        }
        #expect(scanner.read(ByteBuffer(string: "\n\n" + Self.stream)).count == 2)
    }

    @Test(
        arguments: [
            (#"{"type":"message","model":"m","usage":{"input_tokens":5,"output_tokens":6}}"#, 5, 6),
            (#"{"type":"message","usage":{"input_tokens":-5,"output_tokens":6}}"#, 0, 6),
            (#"{"type":"error"}"#, 0, 0), ("not json", 0, 0), ("", 0, 0),
        ] as [(String, Int64, Int64)])
    func `a document says`(text: String, input: Int64, output: Int64) {
        var meter = ResponseMeter(contentType: "application/json", isMessage: true)
        for byte in text.utf8 { _ = meter.read(ByteBuffer(bytes: [byte])) }
        _ = meter.finish()
        #expect(meter.usage.input == input)
        #expect(meter.usage.output == output)
    }

    @Test(
        arguments: [
            (#"{"model":"claude-x","messages":[]}"#, "claude-x"),
            (#" { "messages" : [ {"model":"inner","a":"}{\"model\":"} ] , "model" : "outer" }"#, "outer"),
            (#"{"metadata":{"model":"inner"},"max_tokens":1}"#, nil), (#"{"a":"model","b":"c"}"#, nil),
            (#"{"model":7,"b":"c"}"#, nil), (#"{"model":"a b"}"#, nil), (#"{"model":"unended"#, nil), ("", nil),
            (#"["model","x"]"#, nil),
        ] as [(String, String?)])
    func `the model asked for is`(body: String, model: String?) {
        #expect(RequestedModel.find(in: ByteBuffer(string: body)) == model)
    }
}

@Suite struct PriceListTests {
    /// Models that Claude Code names on its own, as its binary has them, and the offline model's.
    @Test func `every model that Claude Code and the scripted model name has a price`() throws {
        let prices = try PriceList.shipped()
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        // Its catalog of models: {id:"claude-…",family:…
        let search = Process()
        search.executableURL = URL(filePath: "/usr/bin/grep")
        search.arguments = [
            "-aoE", #"\{id:"claude-[a-z0-9.-]+",family:"#, root.appending(path: ".deps/bin/claude").path,
        ]
        search.environment = ["LC_ALL": "C"]
        let output = Pipe()
        search.standardOutput = output
        try search.run()
        let found = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        search.waitUntilExit()
        var names: Set<String> = ["claude-scripted-1"]
        for line in found.split(separator: "\n") {
            if let name = line.split(separator: "\"").dropFirst().first { names.insert(String(name)) }
        }
        #expect(names.count > 15, "the binary has its catalog in another form now")
        for name in names.sorted() { #expect(prices.knows(name), "no price for \(name)") }
    }

    @Test(arguments: [
        ("claude-sonnet-5", true), ("claude-sonnet-4-5-20250929", true), ("claude-sonnet-4-5[1m]", true),
        ("CLAUDE-OPUS-5", true), ("claude-opus-4-20250514", true), ("claude-opus-5-20261231", true),
        ("claude-opus-5-latest", true), ("claude-opus-55", false), ("claude-opus-5-9", false), ("gpt", false),
        ("", false),
    ])
    func `a name is known`(name: String, known: Bool) throws {
        #expect(try PriceList.shipped().knows(name) == known)
    }

    @Test func `kinds of tokens have prices of their own, long prompts too`() throws {
        let prices = try PriceList(
            Data(
                #"""
                {"models": {"m": {"input": 1, "output": 2.5, "cache_read": 0.1, "cache_write_5m": 1.25,
                 "cache_write_1h": 2, "web_search": 0.01, "long_prompt": {"above_tokens": 1000, "input": 10,
                 "output": 20, "cache_read": 30, "cache_write_5m": 40, "cache_write_1h": 50}},
                 "dear": {"input": 100, "output": 200, "cache_read": 1, "cache_write_5m": 1, "cache_write_1h": 1}}}
                """#.utf8))
        let usage = TokenUsage(
            input: 1, output: 10, cacheRead: 100, cacheWrite5m: 2, cacheWrite1h: 3, webSearches: 1)
        #expect(prices.cost(of: usage, model: "m") == 1000 + 25_000 + 10_000 + 2500 + 6000 + 10_000_000)
        let long = TokenUsage(input: 1001, output: 1)
        #expect(prices.cost(of: long, model: "m") == 1001 * 10_000 + 20_000)
        // What nobody priced is as dear as the dearest: a budget must hold.
        #expect(prices.cost(of: TokenUsage(input: 1), model: "new") == 100_000)
    }

    @Test(arguments: ["", "[]", #"{"models":{}}"#, #"{"models":{"m":{"input":1}}}"#])
    func `a file that is no price list is refused`(text: String) {
        #expect(throws: PriceList.Fault.self) { try PriceList(Data(text.utf8)) }
    }
}
