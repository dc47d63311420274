import API
import Foundation

/// What `rookery serve` says on standard output once it listens: the addresses, which scripts read, and for a person
/// at a terminal where the admin's token is.
struct Announcement {
    var listeners: [BoundListener]
    var tokenFile: String?

    func print() {
        var text = listeners.map { "rookery listening on \($0.url)\n" }.joined()
        if let tokenFile, isatty(STDOUT_FILENO) == 1 { text += "the admin token is in \(tokenFile)\n" }
        try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    }
}
