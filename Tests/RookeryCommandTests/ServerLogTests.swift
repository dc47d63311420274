import Foundation
import Logging
import Testing

@testable import rookery

@Suite struct ServerLogTests {
    private static func line(_ format: LogFormat) -> String {
        ServerLog.line(
            time: "T", level: .info, label: "l", message: "it\nhappened",
            metadata: ["b": "two words", "a": "x\"\u{1b}[2J", "level": "mine"], format: format)
    }

    @Test func `a text line is one line whatever is in it`() {
        #expect(Self.line(.text) == #"T info l: it happened a="x\"\u001b[2J" b="two words" level=mine"#)
    }

    @Test func `a JSON line is an object whose fixed members nobody overrides`() throws {
        let object = try JSONDecoder().decode([String: String].self, from: Data(Self.line(.json).utf8))
        #expect(object["message"] == "it\nhappened" && object["level"] == "info" && object["metadata.level"] == "mine")
    }

    @Test func `the process's level can change, and one logger can be quieter`() {
        let output = ServerLog.Output(level: .info, format: .text)
        var log = ServerLog(label: "l", output: output)
        #expect(log.logLevel == .info)
        output.set(.debug)
        #expect(log.logLevel == .debug)
        log.logLevel = .warning
        #expect(log.logLevel == .warning)
    }
}
