import CLinux
import Dispatch
import Foundation
import Glibc
import NIOCore
import Synchronization
import Testing

@testable import SessionCore

private let now = Date(timeIntervalSince1970: 1_800_000_000)

/// A disk that fails when it is told to.
private final class FailingDisk: Sendable {
    private let failure = Mutex<(write: Int32, sync: Int32, allocate: Int32)>((0, 0, 0))

    func fail(write: Int32 = 0, sync: Int32 = 0, allocate: Int32 = 0) {
        failure.withLock { $0 = (write, sync, allocate) }
    }

    var calls: JournalDisk {
        JournalDisk(
            write: { file, parts, count, offset in
                let code = self.failure.withLock { $0.write }
                guard code != 0 else { return JournalDisk.real.write(file, parts, count, offset) }
                // A part of it gets there.
                _ = JournalDisk.real.write(file, parts, 1, offset)
                return -Int(code)
            },
            sync: { file in
                let code = self.failure.withLock { $0.sync }
                return code == 0 ? JournalDisk.real.sync(file) : code
            },
            allocate: { file, offset, length in
                let code = self.failure.withLock { $0.allocate }
                return code == 0 ? JournalDisk.real.allocate(file, offset, length) : code
            })
    }
}

@Suite struct JournalDiskTests {
    /// Its descriptors are closed then, and their numbers may be somebody else's.
    @Test func beginsNoSyncOnceItIsLetGo() async throws {
        let folder = try JournalFolder()
        let syncs = Counter()
        let go = DispatchSemaphore(value: 0)
        let disk = JournalDisk(
            write: JournalDisk.real.write,
            sync: { file in
                syncs.add(1)
                go.wait()
                return JournalDisk.real.sync(file)
            }, allocate: JournalDisk.real.allocate)
        let journal = try await folder.open(disk: disk)
        try await folder.loop.submit { _ = try journal.value.append(event: .turnStarted, data: [:], at: now) }.get()
        try await until("it syncs") { syncs.value == 1 }
        try await folder.loop.submit {
            _ = try journal.value.append(event: .turnStarted, data: [:], at: now)
            journal.value.abandon()
        }.get()
        go.signal()
        try await Task.sleep(for: .milliseconds(200))
        #expect(syncs.value == 1)
    }

    @Test(arguments: [EIO, ENOSPC, EDQUOT]) func standsStillOnAFailedWriteAndGoesOn(code: Int32) async throws {
        let folder = try JournalFolder()
        let disk = FailingDisk()
        let journal = try await folder.open(disk: disk.calls)
        try await folder.loop.submit {
            try journal.value.append(output: ByteBuffer(string: "before"), at: now)
            disk.fail(write: code)
            #expect(throws: LogStall(errno: code)) {
                try journal.value.append(output: ByteBuffer(string: "lost"), at: now)
            }
            disk.fail()
            // Not before the disk was asked again: what was refused would overtake.
            #expect(throws: LogStall(errno: code)) {
                try journal.value.append(output: ByteBuffer(string: "later"), at: now)
            }
            #expect(throws: LogStall(errno: code)) { try journal.value.append(input: text("hi"), at: now) }
            #expect(journal.value.lastSequence == 1)
        }.get()
        try await until("it goes on") { try await folder.loop.submit { journal.value.stall == nil }.get() }
        try await folder.loop.submit {
            let seq = try journal.value.append(output: ByteBuffer(string: "after"), at: now)
            #expect(seq == 2)
            journal.value.abandon()
        }.get()
        let entries = try folder.reader().read(since: 0, kinds: .all, limit: .max).entries
        #expect(entries.map(summary) == ["1 output before", "2 output after"])
    }

    @Test func confirmsNothingThatCouldNotBeSynced() async throws {
        let folder = try JournalFolder()
        let disk = FailingDisk()
        let journal = try await folder.open(disk: disk.calls)
        let stored = folder.loop.makePromise(of: Void.self)
        let isStored = Counter()
        stored.futureResult.whenSuccess { isStored.add(1) }
        disk.fail(sync: EIO)
        try await folder.loop.submit {
            _ = try journal.value.append(input: text("hi"), at: now)
            journal.value.whenStored(through: 1) { stored.succeed() }
        }.get()
        try await until("it stands still") {
            try await folder.loop.submit { journal.value.stall == LogStall(errno: EIO) }.get()
        }
        try await Task.sleep(for: .milliseconds(1500))
        #expect(isStored.value == 0)
        disk.fail()
        try await stored.futureResult.get()
        try await until("it goes on") { try await folder.loop.submit { journal.value.stall == nil }.get() }
        try await folder.loop.submit { journal.value.abandon() }.get()
    }

    @Test func keepsAReserveForEvents() async throws {
        let folder = try JournalFolder()
        let disk = FailingDisk()
        let journal = try await folder.open(disk: disk.calls)
        disk.fail(allocate: ENOSPC)
        try await folder.loop.submit {
            var outputs = 0
            while (try? journal.value.append(output: ByteBuffer(repeating: 97, count: 1000), at: now)) != nil {
                outputs += 1
                try #require(outputs < 10_000)
            }
            #expect(journal.value.stall == LogStall(errno: ENOSPC))
            for _ in 0..<100 {
                _ = try journal.value.append(event: .sessionFailed, data: ["why": "the disk is full"], at: now)
            }
            #expect(journal.value.lastSequence == UInt64(outputs + 100))
        }.get()
        disk.fail()
        try await until("it goes on") { try await folder.loop.submit { journal.value.stall == nil }.get() }
        try await folder.loop.submit { journal.value.abandon() }.get()
    }

    @Test(.enabled(if: geteuid() == 0)) func bearsADiskThatIsReallyFull() async throws {
        let folder = try JournalFolder()
        guard mount("none", folder.path, "tmpfs", 0, "size=2m") == 0 else {
            // A container without the right to mount has no small disk to offer.
            return
        }
        defer { umount2(folder.path, Int32(MNT_DETACH)) }
        let journal = try await folder.open()
        let shown = try await folder.loop.submit {
            var shown = 0
            while (try? journal.value.append(output: ByteBuffer(repeating: 98, count: 5000), at: now)) != nil {
                shown += 1
                try #require(shown < 1000)
            }
            #expect(journal.value.stall?.reason == "disk_full")
            _ = try journal.value.append(event: .sessionFailed, data: [:], at: now)
            return shown
        }.get()
        #expect(shown > 300)
        #expect(mount("none", folder.path, "tmpfs", UInt(MS_REMOUNT), "size=8m") == 0)
        try await until("there is room") { try await folder.loop.submit { journal.value.stall == nil }.get() }
        try await folder.loop.submit {
            try journal.value.append(output: ByteBuffer(string: "on"), at: now)
            journal.value.abandon()
        }.get()
        let reading = try folder.reader().read(since: 0, kinds: .output, limit: .max)
        #expect(reading.entries.count == shown + 1 && reading.gap == nil)
    }
}

@Suite struct ChecksumTests {
    @Test func isTheChecksumOfTheStandard() {
        // RFC 3720, B.4
        #expect(rk_crc32c(0, [UInt8](repeating: 0, count: 32), 32) == 0x8a91_36aa)
        #expect(rk_crc32c(0, [UInt8](repeating: 0xff, count: 32), 32) == 0x62a8_ab43)
        #expect(rk_crc32c(0, Array(UInt8(0)..<32), 32) == 0x46dd_794e)
    }

    @Test func isTheSameWithoutTheInstructionAndInPieces() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) }
        for length in [0, 1, 7, 8, 9, 63, 64, 65, 999, 1000] {
            let whole = rk_crc32c(0, bytes, length)
            #expect(rk_crc32c_portable(0, bytes, length) == whole)
            let half = length / 3
            let rest = Array(bytes[half..<length])
            #expect(rk_crc32c(rk_crc32c(0, bytes, half), rest, rest.count) == whole)
        }
    }
}
