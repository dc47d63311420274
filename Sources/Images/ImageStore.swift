import CLinux
import Foundation
import Glibc

/// The directory of images: `NAME.json` each, and what they name in `blobs/sha256-….squashfs`.
///
/// What is read here may be handed to the kernel to mount, so all of it must belong to root or to the one who reads, and
/// nobody else may write it; symbolic links are not followed.
public struct ImageStore: Sendable, Hashable {
    public let directory: String

    public init(directory: String) { self.directory = directory }

    static let blobs = "blobs"
    private static let manifestSuffix = ".json"
    private static let largestManifest = 4 << 20

    /// The built images, sorted. Empty where the directory does not exist.
    public var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).compactMap { file in
            guard file.hasSuffix(Self.manifestSuffix) else { return nil }
            let name = String(file.dropLast(Self.manifestSuffix.count))
            return ImageName.isBuilt(name) ? name : nil
        }.sorted()
    }

    /// All manifests that can be read, by name.
    public var manifests: [ImageManifest] { names.compactMap { try? manifest(named: $0) } }

    public func has(_ name: String) -> Bool {
        ImageName.isBuilt(name) && access("\(directory)/\(Self.manifestFile(name))", F_OK) == 0
    }

    public func manifest(named name: String) throws(ImageError) -> ImageManifest {
        if let problem = ImageName.problem(with: name) { throw problem }
        let file: ImageFile
        do throws(ImageError) {
            file = try open(Self.manifestFile(name))
        } catch {
            throw error.errno == ENOENT ? unknown(name) : error
        }
        defer { file.close() }
        let data = try? FileHandle(fileDescriptor: file.descriptor, closeOnDealloc: false)
            .read(upToCount: Self.largestManifest)
        guard let data, let manifest = try? Self.decoder.decode(ImageManifest.self, from: data),
            manifest.name == name
        else {
            throw ImageError("\(directory)/\(Self.manifestFile(name)) is not an image's", remedy: "build it again")
        }
        return manifest
    }

    /// That there is no such image, and which there are.
    public func unknown(_ name: String) -> ImageError {
        ImageError(
            "there is no image '\(name.prefix(64))'",
            remedy: "there are \((["host"] + names).joined(separator: ", ")); 'rookery image build' makes one",
            errno: ENOENT)
    }

    /// Opens a blob for reading. The caller closes it.
    public func openBlob(_ digest: ImageDigest) throws(ImageError) -> ImageFile {
        do throws(ImageError) {
            return try open("\(Self.blobs)/\(digest.fileName)")
        } catch {
            guard error.errno == ENOENT else { throw error }
            throw ImageError(
                "the blob \(digest) is missing in \(directory)", remedy: "build or import the image again",
                errno: ENOENT)
        }
    }

    /// Reads a blob and refuses one that is not what its name says.
    public func verify(_ digest: ImageDigest) throws(ImageError) {
        let file = try openBlob(digest)
        defer { file.close() }
        try file.verify(digest)
    }

    /// The blobs on disk with their sizes.
    public var storedBlobs: [(digest: ImageDigest, size: UInt64)] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(directory)/\(Self.blobs)")) ?? []).sorted()
            .compactMap { name in
                guard let digest = ImageDigest(fileName: name), let file = try? openBlob(digest) else { return nil }
                defer { file.close() }
                return (digest, file.size)
            }
    }

    private func open(_ name: String) throws(ImageError) -> ImageFile {
        try ImageFile(name, in: directory)
    }

    static func manifestFile(_ name: String) -> String { name + manifestSuffix }

    static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return decoder
    }

    static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
