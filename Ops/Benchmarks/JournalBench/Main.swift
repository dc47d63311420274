import CLinux
import Foundation
import Glibc
import NIOCore
import NIOPosix
import SessionCore

/// What a session's log costs on a flood: the same output appended to the log in memory and to a journal, in turns.
@main enum JournalBench {
    /// Of a coalesced read of a terminal.
    static let chunk = 16 * 1024
    static let total = 256 << 20
    static let rounds = 5

    static func main() async throws {
        let parent = CommandLine.arguments.dropFirst().first ?? "/var/tmp"
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        var memory: [Double] = []
        var journal: [Double] = []
        for _ in 0..<rounds {
            memory.append(
                try await loop.submit {
                    let log = MemoryLog(
                        sessionID: SessionID(), incarnation: 1, firstSequence: 1, outputLimit: 4 << 20)
                    return seconds { log.append(output: $0, at: Date()) }
                }.get())
            let path = "\(parent)/rookery-journal-bench-\(getpid())"
            mkdir(path, 0o700)
            defer { try? FileManager.default.removeItem(atPath: path) }
            let (time, ended) = try await loop.submit {
                let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                defer { close(directory) }
                let log = try Journal(
                    Journal.Options(
                        sessionID: SessionID(), incarnation: 1, firstSequence: 1, outputLimit: 4 << 20,
                        limits: JournalLimits(bytes: 64 << 20)), directory: directory, on: loop)
                let time = seconds { _ = try? log.append(output: $0, at: Date()) }
                let ended = loop.makePromise(of: Void.self)
                log.close(onRequest: true)
                log.whenStored(through: log.lastSequence) { ended.succeed() }
                return (time, ended)
            }.get()
            journal.append(time)
            try await ended.futureResult.get()
        }
        print("log in memory:  \(rate(memory))")
        print("journal:        \(rate(journal))")
        let each = (median(journal) - median(memory)) / Double(total / chunk) * 1e6
        print(
            "cost of the journal: \(each.formatted(.number.precision(.fractionLength(1)))) us for \(chunk / 1024) KiB")
        let bytes = [UInt8](repeating: 7, count: 1 << 20)
        for (name, sum) in [("CRC32C", rk_crc32c), ("CRC32C, portable", rk_crc32c_portable)] {
            let start = ContinuousClock.now
            for _ in 0..<64 { _ = sum(0, bytes, bytes.count) }
            let time = (ContinuousClock.now - start) / .seconds(1)
            print("\(name): \(Int(64 / time)) MiB/s")
        }
    }

    static func seconds(_ append: (ByteBuffer) -> Void) -> Double {
        let output = ByteBuffer(repeating: 97, count: chunk)
        let start = ContinuousClock.now
        for _ in 0..<(total / chunk) { append(output) }
        return (ContinuousClock.now - start) / .seconds(1)
    }

    static func median(_ times: [Double]) -> Double { times.sorted()[times.count / 2] }

    static func rate(_ times: [Double]) -> String {
        let rates = times.map { Double(total >> 20) / $0 }.sorted()
        return "\(Int(rates[rates.count / 2])) MiB/s (\(Int(rates[0])) to \(Int(rates[rates.count - 1])))"
    }
}
