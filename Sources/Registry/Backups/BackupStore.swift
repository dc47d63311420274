public import Foundation
import GRDB
import Glibc

/// One copy of the registry in `<state>/backups`.
public struct RegistryBackup: Sendable, Hashable {
    public var path: String
    /// When it was made.
    public var time: Date
}

/// `<state>/backups/registry-<time>.sqlite`: whole, checked copies of the registry, newest first.
public struct BackupStore: Sendable {
    public let directory: String
    /// The newest that are kept whatever their age…
    public var newest = 24
    /// …and beside them the last one of each of so many days.
    public var days = 14

    public init(stateDirectory: String) { directory = "\(stateDirectory)/backups" }

    private static let prefix = "registry-"
    private static let suffix = ".sqlite"
    /// `20261125T163644.123Z`: sorts as the times do.
    private static let format = Date.VerbatimFormatStyle(
        format: """
            \(year: .padded(4))\(month: .twoDigits)\(day: .twoDigits)T\
            \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased))\(minute: .twoDigits)\
            \(second: .twoDigits).\(secondFraction: .fractional(3))Z
            """, locale: Locale(identifier: "en_US_POSIX"), timeZone: .gmt, calendar: Calendar(identifier: .gregorian))

    /// A time as it stands in names of files.
    static func stamp(_ time: Date) -> String { time.formatted(format) }

    public func all() -> [RegistryBackup] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.compactMap { name -> RegistryBackup? in
            guard name.hasPrefix(Self.prefix), name.hasSuffix(Self.suffix) else { return nil }
            let stamp = name.dropFirst(Self.prefix.count).dropLast(Self.suffix.count)
            guard let time = try? Date(String(stamp), strategy: Self.format.parseStrategy) else { return nil }
            return RegistryBackup(path: "\(directory)/\(name)", time: time)
        }.sorted { $0.time > $1.time }
    }

    /// Copies what a reader sees now (SQLite's online backup: writers go on), checks the copy, and puts it in its place
    /// in one step.
    /// - Throws: ``RegistryError/storage(_:)`` when there is no room, ``RegistryError/corrupt(_:)`` when the copy, and so
    ///   the registry itself, is damaged. Nothing is left then.
    public func make(of source: any DatabaseReader, at now: Date = Date()) throws(RegistryError) -> RegistryBackup {
        try DurableFile.makeDirectory(directory)
        DurableFile.removeLeftovers(in: directory)
        let path = "\(directory)/\(Self.prefix)\(Self.stamp(now))\(Self.suffix)"
        try Self.copy(source, to: path)
        for old in superseded(among: all()) { unlink(old.path) }
        return RegistryBackup(path: path, time: now)
    }

    /// Copies a database to a file of its own that is whole and durable, or not there.
    static func copy(_ source: any DatabaseReader, to path: String) throws(RegistryError) {
        let temporary = "\(path).new"
        do {
            defer { for end in ["", "-journal", "-wal", "-shm"] { unlink(temporary + end) } }
            unlink(temporary)
            let descriptor = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { throw FileError(temporary) }
            close(descriptor)
            do {
                let copy = try DatabaseQueue(path: temporary)
                try source.backup(to: copy)
                try copy.writeWithoutTransaction { database in
                    // One file: a copy in WAL mode would want two more beside it to be read.
                    try database.execute(sql: "PRAGMA journal_mode = DELETE")
                    if let fault = try RegistryFile.faults(of: database, thorough: true).first {
                        throw RegistryError.corrupt("a copy of it does not pass SQLite's integrity check: \(fault)")
                    }
                }
                try copy.close()
            }
            try DurableFile.synchronize(temporary)
            try DurableFile.move(temporary, to: path)
        } catch let error as FileError {
            throw .storage("\(error)")
        } catch {
            throw RegistryError(error)
        }
    }

    /// Those that are not kept.
    func superseded(among backups: [RegistryBackup]) -> [RegistryBackup] {
        let sorted = backups.sorted { $0.time > $1.time }
        var kept = Set(sorted.prefix(newest))
        var seen: Set<Int> = []
        for backup in sorted {
            let day = Int((backup.time.timeIntervalSince1970 / 86_400).rounded(.down))
            if !seen.contains(day), seen.count < days {
                seen.insert(day)
                kept.insert(backup)
            }
        }
        return sorted.filter { !kept.contains($0) }
    }
}
