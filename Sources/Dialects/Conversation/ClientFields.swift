import Foundation
public import SessionCore

/// Why a client's message was not taken; the connection stays.
public enum ClientMessageError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Not JSON, or not a JSON object.
    case notAnObject
    case tooLarge(limit: Int)
    /// The type as the client wrote it, shortened; nil when there is none.
    case unknownType(String?)
    case badField(String, String)

    public var description: String {
        switch self {
        case .notAnObject: "the message is not a JSON object"
        case .tooLarge(let limit): "the message is larger than \(limit) bytes"
        case .unknownType(let type): "the message type '\(type ?? "")' is unknown"
        case .badField(let name, let detail): "'\(name)' \(detail)"
        }
    }
}

/// One JSON object that a client sent, read field by field: what is missing or of another type is an error that names
/// the field; what is not asked for is ignored.
public struct ClientFields: Sendable, Equatable {
    public let members: [String: JSONValue]

    public init(_ members: [String: JSONValue]) { self.members = members }

    public init(_ value: JSONValue) throws(ClientMessageError) {
        guard case .object(let members) = value else { throw .notAnObject }
        self.members = members
    }

    /// - Parameter limit: bytes of text.
    public init(parsing text: String, limit: Int = 1 << 20) throws(ClientMessageError) {
        guard text.utf8.count <= limit else { throw .tooLarge(limit: limit) }
        let value: JSONValue
        do { value = try JSONReader.parse(text.utf8) } catch { throw .notAnObject }
        try self.init(value)
    }

    public subscript(name: String) -> JSONValue? {
        switch members[name] {
        case .null, nil: nil
        case let value: value
        }
    }

    public func type() throws(ClientMessageError) -> String {
        guard let type = self["type"]?.string else { throw .unknownType(nil) }
        return type
    }

    /// The error for a type that is none of the dialect's.
    public func unknownType() -> ClientMessageError { .unknownType(self["type"]?.string.map { String($0.prefix(64)) }) }

    public func string(_ name: String, limit: Int = 1 << 20) throws(ClientMessageError) -> String {
        guard let value = self[name] else { throw .badField(name, "is missing") }
        return try Self.string(value, name, limit)
    }

    public func optionalString(_ name: String, limit: Int = 4096) throws(ClientMessageError) -> String? {
        guard let value = self[name] else { return nil }
        return try Self.string(value, name, limit)
    }

    private static func string(_ value: JSONValue, _ name: String, _ limit: Int) throws(ClientMessageError) -> String {
        guard let text = value.string else { throw .badField(name, "must be a string") }
        guard text.utf8.count <= limit else { throw .badField(name, "has more than \(limit) bytes") }
        return text
    }

    public func bool(_ name: String) throws(ClientMessageError) -> Bool {
        guard let value = self[name] else { throw .badField(name, "is missing") }
        guard let flag = value.bool else { throw .badField(name, "must be true or false") }
        return flag
    }

    /// A whole number in a range; nil when there is none.
    public func integer(_ name: String, in range: ClosedRange<Int64>) throws(ClientMessageError) -> Int64? {
        guard let value = self[name] else { return nil }
        guard let number = value.integer, range.contains(number) else {
            throw .badField(name, "must be a whole number of \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    public func object(_ name: String) throws(ClientMessageError) -> JSONValue? {
        guard let value = self[name] else { return nil }
        guard case .object = value else { throw .badField(name, "must be an object") }
        return value
    }

    public func array(_ name: String) throws(ClientMessageError) -> [JSONValue]? {
        guard let value = self[name] else { return nil }
        guard let items = value.array else { throw .badField(name, "must be an array") }
        return items
    }
}
