import Foundation
import Glibc
import Images
import Testing

@testable import ImageBuilding

@Suite struct ToolTests {
    /// A tool with a log of its own.
    func with(_ body: (Tool) throws -> Void) rethrows {
        let log = NSTemporaryDirectory() + "rkt-\(UUID().uuidString.prefix(8))"
        defer { unlink(log) }
        try body(Tool(log: log))
    }

    @Test func whatItStartsEndsWithIt() throws {
        try with { tool in
            let script = """
                import ctypes
                signal = ctypes.c_int()
                assert ctypes.CDLL(None).prctl(2, ctypes.byref(signal), 0, 0, 0) == 0  # PR_GET_PDEATHSIG
                print(signal.value)
                """
            let output = try tool.run("python3", ["-c", script], captures: true)
            #expect(output == "\(SIGTERM)\n")
        }
    }

    @Test func aFailureIsToldWithTheLastWords() throws {
        with { tool in
            let error = #expect(throws: ImageError.self) {
                try tool.run("sh", ["-c", "echo out; echo err >&2; exit 3"])
            }
            #expect(error?.problem.contains("failed (3)") == true)
            #expect(error?.problem.contains("  out\n  err") == true, "\(error?.problem ?? "")")
        }
    }

    @Test func aMissingProgramIsToldWithItsPackage() {
        let error = #expect(throws: ImageError.self) { try Tool.find("no-such-program") }
        #expect(error?.errno == ENOENT && error?.problem.contains("no-such-program") == true)
    }
}
