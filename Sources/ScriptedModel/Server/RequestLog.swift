import Foundation
import Synchronization

/// What the scripted model saw, one JSON object a line, appended to a file: `request`, `done`, `client_gone`.
/// Of a credential only the last four characters are written.
public final class RequestLog: Sendable {
    private let file: Mutex<FileHandle>

    /// Opens the file for appending, making it (mode 0600) when it does not exist.
    public init(path: String) throws {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno))
            throw CocoaError(
                .fileWriteUnknown,
                userInfo: [NSLocalizedDescriptionKey: "cannot open the request log \(path): \(reason)"])
        }
        file = Mutex(FileHandle(fileDescriptor: descriptor, closeOnDealloc: true))
    }

    func write(_ kind: String, number: Int, _ members: [(String, Value)] = []) {
        let time = Date.now.formatted(.iso8601.dateTimeSeparator(.standard).time(includingFractionalSeconds: true))
        let rest = members.map { #",\#(JSONText.string($0.0)):\#($0.1.json)"# }.joined()
        let line = #"{"time":"\#(time)","kind":"\#(kind)","n":\#(number)\#(rest)}"# + "\n"
        file.withLock { try? $0.write(contentsOf: Data(line.utf8)) }
    }

    enum Value {
        case text(String)
        case number(Int)
        case flag(Bool)
        case texts([String: String])

        var json: String {
            switch self {
            case .text(let text): JSONText.string(text)
            case .number(let number): "\(number)"
            case .flag(let flag): "\(flag)"
            case .texts(let members): JSONText.object(members)
            }
        }
    }
}

/// A secret as a log may show it.
func redacted(_ secret: String) -> String { secret.count > 8 ? "…\(secret.suffix(4))" : "…" }
