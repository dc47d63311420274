public import Foundation

/// What `NAME.json` says of an image.
public struct ImageManifest: Codable, Sendable, Hashable {
    public var name: String
    public var digest: ImageDigest
    /// Bytes of the blob.
    public var size: UInt64
    /// One line, of the recipe.
    public var description: String?
    /// Hash of the recipe and its files; nil for one that was imported.
    public var recipe: ImageDigest?
    /// The Debian suite; nil for one that was imported.
    public var suite: String?
    public var builtAt: Date
    /// As the package database inside says; empty where there is none.
    public var packages: [ImagePackage]

    public init(
        name: String, digest: ImageDigest, size: UInt64, description: String? = nil, recipe: ImageDigest? = nil,
        suite: String? = nil, builtAt: Date, packages: [ImagePackage] = []
    ) {
        self.name = name
        self.digest = digest
        self.size = size
        self.description = description
        self.recipe = recipe
        self.suite = suite
        self.builtAt = builtAt
        self.packages = packages
    }

    enum CodingKeys: String, CodingKey {
        case name, digest, size, description, recipe, suite
        case builtAt = "built_at"
        case packages
    }
}

/// One Debian package of an image.
public struct ImagePackage: Codable, Sendable, Hashable {
    public var name: String
    public var version: String

    public init(name: String, version: String) {
        self.name = name
        self.version = version
    }

    /// The installed packages of `/var/lib/dpkg/status`, by name.
    public static func installed(status text: String) -> [ImagePackage] {
        text.split(separator: "\n\n").compactMap { paragraph -> ImagePackage? in
            var fields: [Substring: Substring] = [:]
            for line in paragraph.split(separator: "\n") where line.first != " " {
                let parts = line.split(separator: ":", maxSplits: 1)
                if parts.count == 2 { fields[parts[0]] = parts[1].drop { $0 == " " } }
            }
            guard let name = fields["Package"], let version = fields["Version"],
                fields["Status"]?.hasSuffix(" installed") == true
            else { return nil }
            return ImagePackage(name: String(name), version: String(version))
        }.sorted { $0.name < $1.name }
    }
}

/// Which image a session has, kept in its directory: a session stays with the blob that it began with.
public struct ImageNote: Codable, Sendable, Hashable {
    public var name: String
    public var digest: ImageDigest

    public init(name: String, digest: ImageDigest) {
        self.name = name
        self.digest = digest
    }

    /// Its name in a session's directory.
    public static let fileName = "image.json"
    /// Bytes of the file at most.
    public static let largest = 4096

    /// The notes of all sessions, by the sessions' names. What cannot be read counts as none.
    public static func all(in sessions: String) -> [String: ImageNote] {
        var notes: [String: ImageNote] = [:]
        for session in (try? FileManager.default.contentsOfDirectory(atPath: sessions)) ?? [] {
            guard let data = FileManager.default.contents(atPath: "\(sessions)/\(session)/\(fileName)"),
                data.count <= largest, let note = try? JSONDecoder().decode(ImageNote.self, from: data)
            else { continue }
            notes[session] = note
        }
        return notes
    }
}
