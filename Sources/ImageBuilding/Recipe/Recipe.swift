import Foundation
public import Images

/// What an image is made of: packages of a Debian suite, files, and commands that finish it.
public struct Recipe: Sendable, Hashable {
    /// Of the recipe's directory, and of the image.
    public var name: String
    /// One line.
    public var description: String?
    /// Such as `bookworm`.
    public var suite: String
    public var packages: [String]
    public var files: [File]
    /// For `/bin/sh -eu` in the finished tree, as root and without a network.
    public var commands: [String]

    /// A file of the recipe's directory that is put into the image.
    public struct File: Sendable, Hashable {
        /// Absolute path on this machine.
        public var source: String
        /// Absolute path in the image.
        public var target: String
        public var mode: UInt16

        public init(source: String, target: String, mode: UInt16) {
            self.source = source
            self.target = target
            self.mode = mode
        }
    }

    public init(
        name: String, description: String? = nil, suite: String, packages: [String] = [], files: [File] = [],
        commands: [String] = []
    ) {
        self.name = name
        self.description = description
        self.suite = suite
        self.packages = packages
        self.files = files
        self.commands = commands
    }

    /// A hash of all that the recipe says, its files' contents included.
    /// - Throws: when a file cannot be read any more.
    public func digest() throws(ImageError) -> ImageDigest {
        var text = "recipe 1\n\(suite)\n" + packages.map { "package \($0)\n" }.joined()
        for file in files {
            guard let data = FileManager.default.contents(atPath: file.source) else {
                throw ImageError("\(file.source) cannot be read", remedy: "put it back, or take it out of the recipe")
            }
            text += "file \(file.target) \(String(file.mode, radix: 8)) \(data.base64EncodedString())\n"
        }
        for command in commands { text += "command \(command.utf8.count) \(command)\n" }
        return ImageDigest(of: text)
    }
}
