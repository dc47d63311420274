public import Foundation

/// A piece of a file that somebody gives to a session.
public struct UploadPart: Codable, Sendable, Hashable {
    /// Bytes of one piece.
    public static let largest = 1 << 20
    /// Bytes of a file.
    public static let largestFile = 10 << 20

    /// The upload's own: two files of one name are two files. Letters and digits.
    public var upload: String
    /// One component of a path.
    public var name: String
    public var offset: Int
    public var data: Data

    public init(upload: String, name: String, offset: Int, data: Data) {
        self.upload = upload
        self.name = name
        self.offset = offset
        self.data = data
    }

    /// Relative to the session's workspace.
    public var path: String { "uploads/\(upload)/\(name)" }

    public var isValid: Bool {
        (1...64).contains(upload.utf8.count) && upload.utf8.allSatisfy { Self.isPlain($0) }
            && (1...255).contains(name.utf8.count) && !name.contains("/") && !name.contains("\0") && name != "."
            && name != ".." && offset >= 0 && data.count <= Self.largest && offset <= Self.largestFile - data.count
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
