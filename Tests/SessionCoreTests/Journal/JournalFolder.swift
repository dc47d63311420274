import Foundation
import Glibc
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import SessionCore

/// A directory for one journal, and an event loop to use it on. Removed at the end.
final class JournalFolder: Sendable {
    let path: String
    let session = SessionID()
    let loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()

    init() throws {
        path = "/tmp/rkj-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Opens the journal on its loop, uses it there, and lets it go as a killed worker would.
    func use<Result: Sendable>(
        incarnation: Int = 1, first: UInt64 = 1, memory: Int = 4096, bytes: Int = 64 << 20, age: TimeInterval? = nil,
        events: Int = 32 << 20, disk: JournalDisk = .real, _ body: @escaping @Sendable (Journal) throws -> Result
    ) async throws -> Result {
        let options = Journal.Options(
            sessionID: session, incarnation: incarnation, firstSequence: first, outputLimit: memory,
            limits: JournalLimits(bytes: bytes, age: age, eventBytes: events))
        // What syncs for the one before may not be done.
        for _ in 0..<250 {
            do {
                return try await loop.submit {
                    let descriptor = Glibc.open(self.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                    defer { close(descriptor) }
                    let journal = try Journal(options, directory: descriptor, on: self.loop, disk: disk)
                    defer { journal.abandon() }
                    return try body(journal)
                }.get()
            } catch JournalError.busy {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        throw JournalError.busy
    }

    func reader() throws -> JournalReader { try JournalReader(path: path) }

    /// The segments' files, oldest first.
    var segments: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { $0.hasSuffix(".seg") }.sorted()
    }

    func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))
    }

    func write(_ bytes: some Sequence<UInt8>, to name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }
}

/// What a record says, in one line.
func summary(_ entry: LogEntry) -> String {
    switch entry.record {
    case .output(let bytes): "\(entry.seq) output \(String(buffer: bytes))"
    case .input(let input):
        switch input.content {
        case .text(let text, let submit): "\(entry.seq) text \(text) \(submit) \(input.sender) \(input.clientID ?? "-")"
        case .prompt(let text, let images): "\(entry.seq) prompt \(text) \(images.count) \(input.sender)"
        case .keys(let keys): "\(entry.seq) keys \(String(buffer: keys)) \(input.sender)"
        }
    case .resize(let size): "\(entry.seq) size \(size.cols)x\(size.rows)"
    case .event(let event): "\(entry.seq) \(event.type.rawValue)"
    }
}

func text(_ text: String, _ clientID: String? = nil, submit: Bool = true) -> AcceptedInput {
    AcceptedInput(content: .text(text, submit: submit), sender: "ann", clientID: clientID)
}

/// Something a test counts on several threads.
final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func add(_ more: Int) { count.withLock { $0 += more } }
}

func until(
    _ what: String, for seconds: Double = 15, _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try await !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record("it did not come about that \(what)")
            return
        }
        try await Task.sleep(for: .milliseconds(50))
    }
}

extension JournalFolder {
    /// A journal that stays open; the caller abandons it.
    func open(
        bytes: Int = 64 << 20, age: TimeInterval? = nil, events: Int = 32 << 20, disk: JournalDisk = .real
    ) async throws -> NIOLoopBound<Journal> {
        let options = Journal.Options(
            sessionID: session, incarnation: 1, firstSequence: 1, outputLimit: 4096,
            limits: JournalLimits(bytes: bytes, age: age, eventBytes: events))
        return try await loop.submit {
            let descriptor = Glibc.open(self.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            defer { close(descriptor) }
            return NIOLoopBound(
                try Journal(options, directory: descriptor, on: self.loop, disk: disk), eventLoop: self.loop)
        }.get()
    }

    /// Ten outputs of about 1 KiB, then an event, and so on.
    func fill(_ journal: NIOLoopBound<Journal>, outputs: Int) async throws {
        for start in stride(from: 0, to: outputs, by: 100) {
            try await loop.submit {
                for index in start..<(start + 100) {
                    try journal.value.append(output: ByteBuffer(repeating: UInt8(index % 256), count: 1000), at: Date())
                    if index % 10 == 9 { _ = try journal.value.append(event: .turnStarted, data: [:], at: Date()) }
                }
            }.get()
            // As a terminal's output would come: with time for the thinning.
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
