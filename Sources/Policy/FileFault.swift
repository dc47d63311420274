/// What is wrong with a file that somebody wrote, a policy or a recipe: in which file, at which key, and what to write
/// instead.
public struct FileFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// Path of the file or the directory.
    public var file: String
    /// Line in the file, 1 first; nil where no line can be named.
    public var line: Int?
    /// Dotted path of the key, such as `limits.memory`; nil when the file as a whole is meant.
    public var key: String?
    public var problem: String
    public var remedy: String

    public init(file: String, line: Int? = nil, key: String? = nil, problem: String, remedy: String) {
        self.file = file
        self.line = line
        self.key = key
        self.problem = problem
        self.remedy = remedy
    }

    public var description: String {
        "\(file)\(line.map { ":\($0)" } ?? ""): \(key.map { "\($0): " } ?? "")\(problem); \(remedy)"
    }
}
