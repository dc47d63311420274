/// What is wrong with a value, for a message `'value' <problem>; <remedy>`.
struct RuleProblem: Hashable {
    var problem: String
    var remedy: String

    init(_ problem: String, _ remedy: String) {
        self.problem = problem
        self.remedy = remedy
    }
}

/// Paths as policies write them.
enum PathRules {
    static let longest = 4095

    /// nil for an absolute path in its one form: no `.`, `..`, doubled or trailing slash, no control character.
    static func problem(of path: String) -> RuleProblem? {
        guard path.hasPrefix("/") else { return RuleProblem("is not absolute", "write the whole path, from '/'") }
        guard path.utf8.count <= longest, !path.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f })
        else { return RuleProblem("is not a path", "write at most \(longest) bytes without control characters") }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard path == "/" || parts.allSatisfy({ !["", ".", ".."].contains($0) }) else {
            return RuleProblem("has '.', '..', '//' or '/' at its end in it", "write the plain path")
        }
        return nil
    }

    /// Whether `path` is `directory` or lies below it.
    static func isIn(_ path: String, _ directory: String) -> Bool {
        path == directory || directory == "/" || path.hasPrefix(directory + "/")
    }
}
