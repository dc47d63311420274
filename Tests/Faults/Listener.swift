import EndToEndSupport
import Foundation

/// A start command that writes every line it is given into the workspace: what was applied, in order, also after the
/// program itself is gone.
enum Listener {
    static let script = """
        #!/bin/sh
        stty -echo
        touch /workspace/said
        echo listening
        while read -r line; do echo "$line" >>/workspace/said; echo "heard $line"; done

        """

    /// Runs an installation whose sessions listen.
    static func with(_ options: RookeryOptions = RookeryOptions(), _ body: (Rookery) async throws -> Void) async throws
    {
        let command = "/tmp/rk-listener-\(UUID().uuidString.prefix(8))"
        try script.write(toFile: command, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: command) }
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: command)
        var options = options
        options.startCommand = command
        try await Rookery.with(options, body)
    }

    static func said(in session: String, of rookery: Rookery) -> [String] {
        let file = rookery.path("/workspace/said", of: session)
        let text = FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return text.split(separator: "\n").map(String.init)
    }
}
