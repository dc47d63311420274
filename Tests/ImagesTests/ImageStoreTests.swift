import Foundation
import Glibc
import Images
import Testing

@Suite struct ImageStoreTests {
    /// A store in a directory of its own.
    final class Trial {
        let store: ImageStore

        init() throws {
            store = ImageStore(directory: NSTemporaryDirectory() + "rki-\(UUID().uuidString.prefix(8))")
            try store.prepare()
        }

        deinit { try? FileManager.default.removeItem(atPath: store.directory) }

        @discardableResult
        func add(_ name: String, _ content: String) throws -> ImageManifest {
            let blob = "\(store.directory)/.new-\(UUID().uuidString)"
            try Data(content.utf8).write(to: URL(filePath: blob))
            return try store.add(blob: blob) { digest, size in
                ImageManifest(name: name, digest: digest, size: size, builtAt: Date(timeIntervalSince1970: 1_000_000))
            }
        }

        func blob(_ digest: ImageDigest) -> String { "\(store.directory)/blobs/\(digest.fileName)" }
    }

    @Test func whatIsAddedIsFoundByItsNameAndDigest() throws {
        let trial = try Trial()
        let manifest = try trial.add("tools", "content")
        #expect(trial.store.names == ["tools"])
        #expect(try trial.store.manifest(named: "tools") == manifest)
        #expect(manifest.digest == ImageDigest(of: "content"))
        #expect(manifest.size == 7)
        #expect(throws: Never.self) { try trial.store.verify(manifest.digest) }
        // Everybody may read it, nobody write it.
        var status = stat()
        #expect(stat(trial.blob(manifest.digest), &status) == 0 && status.st_mode & 0o777 == 0o444)
        #expect(stat("\(trial.store.directory)/tools.json", &status) == 0 && status.st_mode & 0o777 == 0o644)
        #expect(trial.store.has("tools") && !trial.store.has("other") && !trial.store.has("../tools"))
    }

    @Test func anUnknownNameIsToldWithThoseThatThereAre() throws {
        let trial = try Trial()
        try trial.add("tools", "content")
        let error = #expect(throws: ImageError.self) { try trial.store.manifest(named: "nonesuch") }
        #expect(error?.description.contains("host, tools") == true)
        #expect(error?.errno == ENOENT)
    }

    @Test(arguments: ["host", "", "-a", "A", "a/b", "..", "a.b", String(repeating: "a", count: 65)])
    func aNameThatIsNoneIsRefused(_ name: String) throws {
        let trial = try Trial()
        #expect(throws: ImageError.self) { try trial.store.manifest(named: name) }
        #expect(throws: ImageError.self) { try trial.store.remove(name) }
        #expect(throws: ImageError.self) { try trial.add(name, "content") }
        #expect(trial.store.names.isEmpty)
    }

    @Test func aDamagedBlobIsFound() throws {
        let trial = try Trial()
        let digest = try trial.add("tools", "content").digest
        chmod(trial.blob(digest), 0o644)
        try Data("Content".utf8).write(to: URL(filePath: trial.blob(digest)))
        let error = #expect(throws: ImageError.self) { try trial.store.verify(digest) }
        #expect(error?.problem.contains("damaged") == true)
    }

    @Test func whatOthersCanWriteIsNotTrusted() throws {
        let trial = try Trial()
        let digest = try trial.add("tools", "content").digest
        for path in [trial.store.directory, "\(trial.store.directory)/blobs", trial.blob(digest)] {
            var status = stat()
            stat(path, &status)
            chmod(path, status.st_mode | 0o020)
            let error = #expect(throws: ImageError.self) { try trial.store.openBlob(digest) }
            #expect(error?.errno == EPERM, "\(path)")
            chmod(path, status.st_mode)
        }
        chmod("\(trial.store.directory)/tools.json", 0o666)
        #expect(throws: ImageError.self) { try trial.store.manifest(named: "tools") }
    }

    @Test func linksAreNotFollowed() throws {
        let trial = try Trial()
        let digest = try trial.add("tools", "content").digest
        let elsewhere = "\(trial.store.directory)/elsewhere"
        try FileManager.default.moveItem(atPath: trial.blob(digest), toPath: elsewhere)
        symlink(elsewhere, trial.blob(digest))
        let error = #expect(throws: ImageError.self) { try trial.store.openBlob(digest) }
        #expect(error?.errno == ELOOP)
    }

    @Test func collectingKeepsWhatIsNamedAndWhatIsUsed() throws {
        let trial = try Trial()
        let old = try trial.add("tools", "old").digest
        let new = try trial.add("tools", "new").digest
        let used = try trial.add("gone", "used").digest
        let unused = try trial.add("gone2", "unused").digest
        try trial.store.remove("gone")
        try trial.store.remove("gone2")
        let planned = try trial.store.collect(keeping: [used], dryRun: true)
        #expect(Set(planned.map(\.digest)) == [old, unused])
        #expect(trial.store.storedBlobs.count == 4)
        let removed = try trial.store.collect(keeping: [used])
        #expect(Set(removed.map(\.digest)) == [old, unused])
        #expect(removed.map(\.size).reduce(0, +) == 9)
        #expect(Set(trial.store.storedBlobs.map(\.digest)) == [new, used])
    }

    @Test func collectingRemovesWhatAnInterruptedBuildLeftAndNothingThatIsUnderWay() throws {
        let trial = try Trial()
        let running = try ImageScratch(in: trial.store)
        let abandoned = "\(trial.store.directory)/.scratch-abcdef"
        mkdir(abandoned, 0o700)
        _ = try trial.store.collect(keeping: [])
        #expect(access(running.path, F_OK) == 0)
        #expect(access(abandoned, F_OK) != 0)
    }

    @Test func aManifestThatIsNotOneStopsTheCollection() throws {
        let trial = try Trial()
        try trial.add("tools", "content")
        try Data("{}".utf8).write(to: URL(filePath: "\(trial.store.directory)/tools.json"))
        #expect(throws: ImageError.self) { try trial.store.collect(keeping: []) }
        #expect(trial.store.storedBlobs.count == 1)
    }

    @Test func sessionsNotesAreRead() throws {
        let trial = try Trial()
        let note = ImageNote(name: "tools", digest: ImageDigest(of: "content"))
        for (session, data) in [("a", try JSONEncoder().encode(note)), ("b", Data("{\"name\": 1}".utf8))] {
            mkdir("\(trial.store.directory)/\(session)", 0o700)
            try data.write(to: URL(filePath: "\(trial.store.directory)/\(session)/\(ImageNote.fileName)"))
        }
        #expect(ImageNote.all(in: trial.store.directory) == ["a": note])
    }
}

@Suite struct ImageDigestTests {
    static let empty = "sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    @Test func hashesAsEverybodyDoes() throws {
        #expect(ImageDigest(of: "").description == Self.empty)
        let file = open("/dev/null", O_RDONLY)
        defer { close(file) }
        #expect(try ImageDigest(of: file).description == Self.empty)
    }

    @Test(arguments: [
        "", "sha256-", empty.uppercased(), String(empty.dropLast()), empty + "0", "sha512" + empty.dropFirst(6),
        "sha256-../" + empty.dropFirst(10),
    ])
    func refusesWhatIsNone(_ text: String) { #expect(ImageDigest(parsing: text) == nil) }

    @Test func isTheNameOfAFile() throws {
        let digest = try #require(ImageDigest(parsing: Self.empty))
        #expect(digest.fileName == Self.empty + ".squashfs")
        #expect(ImageDigest(fileName: digest.fileName) == digest)
        #expect(ImageDigest(fileName: Self.empty) == nil)
    }
}

@Suite struct ImagePackageTests {
    @Test func readsWhatIsInstalled() {
        let status = """
            Package: zlib1g
            Status: install ok installed
            Version: 1:1.2.13
            Description: library
             Version: no

            Package: gone
            Status: deinstall ok config-files
            Version: 1

            Package: bash
            Status: install ok installed
            Version: 5.2

            """
        #expect(
            ImagePackage.installed(status: status) == [
                ImagePackage(name: "bash", version: "5.2"), ImagePackage(name: "zlib1g", version: "1:1.2.13"),
            ])
    }
}
