import ArgumentParser
import Foundation
import Images
import Policy

extension Image {
    struct RemoveImage: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Remove an image's name; 'gc' then frees its space.",
            discussion: "Refused while a policy or a session uses it.")
        @Argument(help: "The image.") var name: String
        @Option(help: "The directory of the policies.") var policies: String?
        @Flag(help: "Remove it all the same: its sessions keep its blob, new ones do not start.") var force = false
        @OptionGroup var options: ImageOptions

        func run() throws {
            let store = options.store
            let users = try users()
            guard force || users.isEmpty else {
                throw Failure.refused(
                    "the image '\(name)' is used by \(users.joined(separator: ", ")); delete those first, or use --force"
                )
            }
            try refusing { try store.remove(name) }
            print("\(name) removed; 'rookery image gc' frees its space")
        }

        private func users() throws -> [String] {
            let sessions = options.notes.filter { $0.value.name == name }.keys.sorted().map { "session \($0)" }
            let directory = policies ?? Installation.current().policies
            guard FileManager.default.fileExists(atPath: directory) else { return sessions }
            do {
                return try PolicyStore(directory: directory).all.filter { $0.sandbox.image == name }
                    .map { "policy \($0.name)" } + sessions
            } catch {
                // What cannot be read may name it.
                guard force else { throw Failure.refused("\(error)") }
                return sessions
            }
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read blobs again and compare them with their digests.")
        @Argument(help: "The images; all without.") var names: [String] = []
        @OptionGroup var options: ImageOptions

        func run() throws {
            let store = options.store
            var damaged = 0
            for name in names.isEmpty ? store.names : names {
                do throws(ImageError) {
                    let digest = try store.manifest(named: name).digest
                    try store.verify(digest)
                    print("\(name) \(digest) fine")
                } catch {
                    damaged += 1
                    printError("\(name): \(error)")
                }
            }
            guard damaged == 0 else { throw Failure.refused("\(damaged) of the images cannot be used") }
        }
    }

    struct Collect: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "gc", abstract: "Remove blobs that no image names and no session uses.")
        @Flag(help: "Say what would be removed, and leave it.") var dryRun = false
        @OptionGroup var options: ImageOptions

        func run() throws {
            let store = options.store
            let kept = Set(options.notes.values.map(\.digest))
            let removed = try refusing { try store.collect(keeping: kept, dryRun: dryRun) }
            for blob in removed { print("\(blob.digest) \(megabytes(blob.size))") }
            let total = megabytes(removed.map(\.size).reduce(0, +))
            print("\(removed.count) blobs, \(total)\(dryRun ? " would be freed" : " freed")")
        }
    }
}
