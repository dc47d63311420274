import Foundation

struct TimedOut: Error, CustomStringConvertible {
    var description: String
}

/// Polls until the condition gives a value; the machine may be slow, so the limit is generous.
@discardableResult
func eventually<Value>(
    _ what: String, within seconds: Double = 20, _ condition: () async throws -> Value?
) async throws -> Value {
    let deadline = Date().addingTimeInterval(seconds)
    while Date() < deadline {
        if let value = try await condition() { return value }
        try await Task.sleep(for: .milliseconds(10))
    }
    throw TimedOut(description: "waited \(seconds) s in vain: \(what)")
}

func eventually(
    _ what: String, within seconds: Double = 20, _ condition: () async throws -> Bool
) async throws {
    try await eventually(what, within: seconds) { try await condition() ? () : nil }
}
