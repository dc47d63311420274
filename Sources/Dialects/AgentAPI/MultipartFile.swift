public import Foundation

/// The file of a `multipart/form-data` body (RFC 7578): the part of one name.
public struct MultipartFile: Sendable, Equatable {
    public var name: String
    public var content: Data

    /// Bytes of a file's name.
    public static let longestName = 200
    /// Parts that are looked at.
    private static let mostParts = 16

    public init(name: String, content: Data) {
        self.name = name
        self.content = content
    }

    /// - Parameters:
    ///   - type: the body's `Content-Type`, which names the boundary.
    ///   - field: the part's name.
    public init(body: Data, type: String, field: String) throws(ClientMessageError) {
        guard let boundary = Self.parameter("boundary", of: type), (1...70).contains(boundary.utf8.count) else {
            throw .badField("Content-Type", "must be multipart/form-data with a boundary")
        }
        // A line break before the first delimiter too, so that all look alike.
        let body = Data("\r\n".utf8) + body
        let delimiter = Data("\r\n--\(boundary)".utf8)
        var start = body.range(of: delimiter)?.upperBound
        for _ in 0..<Self.mostParts {
            guard let from = start, let end = body.range(of: delimiter, in: from..<body.endIndex) else { break }
            if let file = Self.part(body[from..<end.lowerBound], field) {
                self = file
                return
            }
            start = end.upperBound
        }
        throw .badField(field, "is missing: it must be a whole part of the body, with a file name")
    }

    /// - Parameter part: from behind its delimiter to before the next.
    private static func part(_ part: Data, _ field: String) -> MultipartFile? {
        guard let head = part.range(of: Data("\r\n\r\n".utf8)) else { return nil }
        let headers = String(decoding: part[..<head.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        guard let disposition = headers.first(where: { $0.lowercased().hasPrefix("content-disposition:") }),
            parameter("name", of: disposition) == field, let name = parameter("filename", of: disposition)
        else { return nil }
        return MultipartFile(name: plain(name), content: Data(part[head.upperBound...]))
    }

    /// `name=value` or `name="value"` of a header.
    private static func parameter(_ name: String, of header: String) -> String? {
        for item in header.split(separator: ";").dropFirst() {
            let pair = item.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, pair[0].trimmingCharacters(in: .whitespaces).lowercased() == name else { continue }
            let value = pair[1].trimmingCharacters(in: .whitespaces)
            guard value.hasPrefix("\""), value.hasSuffix("\""), value.utf8.count > 1 else { return value }
            return String(value.dropFirst().dropLast())
        }
        return nil
    }

    /// The last component of a path, as a name that harms nobody.
    static func plain(_ path: String) -> String {
        let last = path.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last ?? ""
        var name = ""
        for scalar in last.unicodeScalars {
            let isPlain =
                scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                || " ._-+()".unicodeScalars
                    .contains(scalar)
            name.unicodeScalars.append(isPlain ? scalar : "_")
            if name.utf8.count >= longestName { break }
        }
        return name.allSatisfy({ $0 == "." || $0 == " " }) ? "file" : name
    }
}
