import EndToEndSupport
import Foundation
import SessionCore

/// Types texts into a session like a client that does not give up: the same text under the same client id until it is
/// acknowledged. What was acknowledged is what must not be lost, nor said twice.
final class Typist {
    let session: String
    private let name: String
    private var count = 0
    private(set) var acknowledged: [(token: String, seq: Int64)] = []
    /// Every other text has Claude Code use a tool; its session lets it.
    private let usesTools: Bool

    init(session: String, usesTools: Bool = false) {
        self.session = session
        self.usesTools = usesTools
        name = UUID().uuidString.prefix(6).lowercased()
    }

    /// A text that has not been said yet; its token is in no other.
    func nextToken() -> String {
        count += 1
        return "tok-\(name)-\(count)-end"
    }

    /// - Returns: when it is acknowledged.
    func say(_ token: String, in rookery: Rookery, within limit: Duration = .seconds(120)) async throws {
        let text = usesTools && count.isMultiple(of: 2) ? "WRITE \(count).txt \(token)" : "SAY \(token)"
        let body: JSONValue = ["text": .string(text), "client_id": .string(token)]
        var last = ""
        do {
            let seq = try await eventually("an acknowledgement of \(token)", within: limit) { () -> Int64? in
                do {
                    let answer = try await rookery.api.post("/v1/sessions/\(session)/input", body)
                    last = "\(answer.status) \(answer.text)"
                    if answer.status == 409 { try await Checker(rookery: rookery).resumeIfFailed(session) }
                    return answer.status == 202 ? answer.json["seq"]?.integer : nil
                } catch {
                    last = "\(error)"
                    try await rookery.restartIfDead()
                    return nil
                }
            }
            acknowledged.append((token, seq))
        } catch let error as TimedOut {
            throw TimedOut(what: "\(error.what); the last answer: \(last)")
        }
    }
}
