import Foundation
import Policy
import Testing

@Suite struct UnitsTests {
    @Test(
        "sizes",
        arguments: [
            ("0", 0), ("17", 17), ("1B", 1), ("512MiB", 512 << 20), ("2GiB", 2 << 30), ("1 TiB", 1 << 40), ("2GB", nil),
            ("", nil), ("GiB", nil), ("-1", nil), ("1.5GiB", nil), ("9223372036854775807", 9_223_372_036_854_775_807),
            ("9223372036854775808", nil), ("99999999TiB", nil), ("٣", nil),
        ] as [(String, UInt64?)])
    func sizes(text: String, bytes: UInt64?) { #expect(ByteSize(parsing: text)?.bytes == bytes) }

    @Test(
        "sizes are written in the largest unit that fits",
        arguments: [
            (0, "0"), (1, "1"), (1 << 10, "1KiB"), (3 << 30, "3GiB"), (1536 << 20, "1536MiB"),
        ] as [(UInt64, String)])
    func sizeText(bytes: UInt64, text: String) { #expect("\(ByteSize(bytes: bytes))" == text) }

    @Test(
        "spans",
        arguments: [
            ("90", 90_000), ("90s", 90_000), ("20m", 1_200_000), ("8h", 28_800_000), ("2d", 172_800_000), ("5ms", 5),
            ("", nil), ("s", nil), ("-1s", nil), ("1.5h", nil), ("1w", nil), ("3650d", 315_360_000_000), ("3651d", nil),
        ] as [(String, UInt64?)])
    func spans(text: String, milliseconds: UInt64?) {
        #expect(TimeSpan(parsing: text)?.milliseconds == milliseconds)
    }

    @Test(
        "limits out of bounds are named",
        arguments: [
            (
                ResourceLimits(
                    memory: .mebibytes(1), cpuPercent: 100, pids: 64, openFiles: 64, temporary: .mebibytes(1)), "memory"
            ),
            (
                ResourceLimits(memory: .gibibytes(1), cpuPercent: 0, pids: 64, openFiles: 64, temporary: .mebibytes(1)),
                "cpu_percent"
            ),
            (
                ResourceLimits(
                    memory: .gibibytes(1), cpuPercent: 100, pids: -1, openFiles: 64, temporary: .mebibytes(1)), "pids"
            ),
            (
                ResourceLimits(
                    memory: .gibibytes(1), cpuPercent: 100, pids: 64, openFiles: 0, temporary: .mebibytes(1)),
                "open_files"
            ),
            (
                ResourceLimits(
                    memory: .gibibytes(1), cpuPercent: 100, pids: 64, openFiles: 64, temporary: .gibibytes(2)),
                "temporary"
            ),
            (
                ResourceLimits(
                    memory: .gibibytes(1), cpuPercent: 100, processors: .upTo(0), pids: 64, openFiles: 64,
                    temporary: .mebibytes(1)), "processors"
            ),
            (
                ResourceLimits(
                    memory: .gibibytes(1), cpuPercent: 100, pids: 64, openFiles: 64, temporary: .mebibytes(1),
                    unwritten: .mebibytes(2)), "unwritten"
            ),
            (.standard, nil),
        ] as [(ResourceLimits, String?)])
    func bounds(limits: ResourceLimits, key: String?) { #expect(limits.outOfBounds?.key == key) }
}

@Suite struct ProcessorCountTests {
    @Test(
        "how many that is",
        arguments: [
            (.upTo(1), 4, 1), (.upTo(3), 4, 3), (.upTo(9), 4, 4), (.allButOne, 4, 3), (.allButOne, 2, 1),
            (.allButOne, 1, 1), (.upTo(-1), 4, 1),
        ] as [(ProcessorCount, Int, Int)])
    func counts(wanted: ProcessorCount, available: Int, count: Int) {
        #expect(wanted.count(of: available) == count)
    }

    @Test("as it is sent", arguments: [("3", .upTo(3)), ("\"all-but-one\"", .allButOne)] as [(String, ProcessorCount)])
    func coding(text: String, count: ProcessorCount) throws {
        #expect(try JSONDecoder().decode(ProcessorCount.self, from: Data(text.utf8)) == count)
        #expect(String(decoding: try JSONEncoder().encode(count), as: UTF8.self) == text)
    }

    @Test("what is no count is refused", arguments: ["\"all\"", "\"3\"", "null", "[1]", "1.5", "\"\""])
    func refusal(text: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(ProcessorCount.self, from: Data(text.utf8)) }
    }
}
