import ArgumentParser
import Foundation
import Images

struct Image: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make and keep the images that sandboxes are made of.",
        discussion: """
            An image is a read-only squashfs of a root filesystem, named by its SHA-256. A policy names it by 'image', a \
            request too where the policy allows that. 'host' is the host's own /usr, and always there.
            """,
        subcommands: [
            Build.self, Import.self, Listing.self, Show.self, RemoveImage.self, Verify.self, Collect.self,
        ])
}

/// Where images are, for every command about them.
struct ImageOptions: ParsableArguments {
    @Option(help: "The directory of the images; else ROOKERY_IMAGES, else 'images' in the state directory.")
    var images: String?
    @Option(help: "The state directory, which says what sessions use; else ROOKERY_STATE_DIR.")
    var stateDir: String?

    var stateDirectory: String {
        let environment = ProcessInfo.processInfo.environment
        return absolute(
            stateDir ?? environment["ROOKERY_STATE_DIR"] ?? DefaultDirectories(environment: environment).state)
    }

    var store: ImageStore {
        let named = images ?? ProcessInfo.processInfo.environment["ROOKERY_IMAGES"]
        return ImageStore(directory: named.map(absolute) ?? stateDirectory + "/images")
    }

    /// The sessions that began with an image, by their ids.
    var notes: [String: ImageNote] { ImageNote.all(in: stateDirectory + "/sessions") }

    private func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }
}

/// What is wrong with an image, as the command line says it.
func refusing<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as ImageError { throw Failure.refused("\(error)") }
}

/// Bytes for a person, rounded up.
func megabytes(_ bytes: UInt64) -> String { "\((bytes + (1 << 20) - 1) >> 20)MiB" }
