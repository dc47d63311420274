public import Foundation

/// What a session's home must hold so that the CLI starts without a dialog.
public enum HomeSeed {
    /// One file of the home.
    public struct File: Sendable {
        /// Relative to the home. Directories on the way are made with mode 0700.
        public let path: String
        public let mode: UInt16
        /// The content to write, given what is there now; nil when that needs no change.
        public let content: @Sendable (_ existing: Data?) -> Data?
    }

    /// Every file, each to be written to a temporary name and renamed into place. The home belongs to the session:
    /// open nothing in it that is a symbolic link.
    /// - Parameter isFirst: no CLI of this session's ran before: what is there is a copy of another session's.
    public static func files(isFirst: Bool) -> [File] {
        [
            File(
                path: ".claude/.claude.json", mode: 0o600,
                content: { globalConfiguration(merging: $0, isFirst: isFirst) })
        ]
    }

    /// Where the CLI notes, by process, that its full-screen renderer is starting. It reads a note that is still there as
    /// a start that failed, and says so; in a copy it is of somebody else's CLI, which may well run.
    private static let rendererStarts = "fullscreenBootPending"

    /// The CLI's global configuration, `$CLAUDE_CONFIG_DIR/.claude.json`: keeps what is there and adds what skips
    /// the first-run screen and the trust dialog of every directory. nil when all of that is set already.
    /// An existing file that is not a JSON object is replaced. A copy loses what is about processes of the original.
    static func globalConfiguration(merging existing: Data?, isFirst: Bool = false) -> Data? {
        let old = existing.flatMap { bytes -> [String: Any]? in
            guard bytes.count <= 8 << 20 else { return nil }
            return try? JSONSerialization.jsonObject(with: bytes) as? [String: Any]
        }
        var root = old ?? [:]
        var projects = root["projects"] as? [String: Any] ?? [:]
        var everywhere = projects["/"] as? [String: Any] ?? [:]
        let isDone =
            root["hasCompletedOnboarding"] as? Bool == true && everywhere["hasTrustDialogAccepted"] as? Bool == true
        let isLeftOver = isFirst && root.removeValue(forKey: rendererStarts) != nil
        guard old == nil || !isDone || isLeftOver else { return nil }
        root["hasCompletedOnboarding"] = true
        everywhere["hasTrustDialogAccepted"] = true
        projects["/"] = everywhere
        root["projects"] = projects
        return try? JSONSerialization.data(
            withJSONObject: root, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    }
}
