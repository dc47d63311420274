import Foundation
import Images
import Policy

/// Reads a recipe's directory, and those that it builds on.
public enum RecipeReader {
    static let fileName = "recipe.yaml"
    static let largest = 64 << 10
    /// How long a chain of `from` may be.
    static let deepest = 8

    /// The recipe of a directory, with all that comes `from` the recipes beside it: their packages, files and commands
    /// first.
    public static func recipe(in directory: String) throws(FileFault) -> Recipe {
        var path = (URL(filePath: directory).standardizedFileURL.path(percentEncoded: false) as NSString)
            .standardizingPath
        let name = (path as NSString).lastPathComponent
        let first = "\(path)/\(fileName)"
        if let problem = ImageName.problem(with: name) {
            throw FileFault(
                file: path, problem: problem.problem, remedy: "rename the directory: it is the image's name")
        }
        var chain: [(file: String, text: RecipeText)] = []
        while true {
            let file = "\(path)/\(fileName)"
            let text = try RecipeParser(path: file, directory: path).parse(try contents(of: file))
            guard !chain.contains(where: { $0.file == file }), chain.count < deepest else {
                throw FileFault(
                    file: first, key: "from", problem: "the recipes build on one another in a circle",
                    remedy: "take one 'from' out")
            }
            chain.append((file, text))
            guard let from = text.from else { break }
            path = "\((path as NSString).deletingLastPathComponent)/\(from)"
        }
        let texts = chain.reversed().map(\.text)
        guard let suite = texts.compactMap(\.suite).last else {
            throw FileFault(
                file: first, key: "suite", problem: "is missing",
                remedy: "write a Debian suite, such as 'suite: bookworm'")
        }
        var packages: [String] = []
        for package in texts.flatMap(\.packages) where !packages.contains(package) { packages.append(package) }
        return Recipe(
            name: name, description: chain.first?.text.description, suite: suite, packages: packages,
            files: texts.flatMap(\.files), commands: texts.flatMap(\.commands))
    }

    private static func contents(of file: String) throws(FileFault) -> String {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw FileFault(file: file, problem: "cannot be read", remedy: "name a directory that has a recipe.yaml")
        }
        guard data.count <= largest, let text = String(data: data, encoding: .utf8) else {
            throw FileFault(
                file: file, problem: "is over \(largest) bytes, or not UTF-8", remedy: "put long texts into files")
        }
        return text
    }
}
