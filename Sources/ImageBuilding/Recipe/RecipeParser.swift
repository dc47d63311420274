import Foundation
import Glibc
import Images
import Policy
import Yams

/// What one recipe.yaml says, before what it builds on is added.
struct RecipeText: Hashable {
    var description: String?
    var from: String?
    var suite: String?
    var packages: [String] = []
    var files: [Recipe.File] = []
    var commands: [String] = []
}

/// Reads one recipe out of YAML. Every key is known, every value checked; the first fault is thrown.
struct RecipeParser {
    let path: String
    /// Holds the recipe's files.
    let directory: String

    static let keys = ["description", "from", "suite", "packages", "files", "commands"]
    static let fileKeys = ["source", "target", "mode"]
    static let most = 1000

    func parse(_ text: String) throws(FileFault) -> RecipeText {
        var recipe = RecipeText()
        guard let root = try compose(text) else {
            throw FileFault(file: path, problem: "is empty", remedy: "keys are \(Self.keys.joined(separator: ", "))")
        }
        for (key, node) in try entries(root, prefix: "", known: Self.keys) {
            switch key {
            case "description":
                let line = try string(node, key)
                guard line.count <= 200, !line.contains(where: \.isNewline) else {
                    throw fault(node, key, "is not one line of at most 200 characters", "shorten it")
                }
                recipe.description = line
            case "from":
                let name = try string(node, key)
                guard ImageName.isBuilt(name) else {
                    throw fault(
                        node, key, "'\(name.prefix(64))' is not a recipe", "name a recipe's directory beside this one")
                }
                recipe.from = name
            case "suite":
                let suite = try string(node, key)
                guard Self.isWord(suite, also: "-") else {
                    throw fault(node, key, "'\(suite.prefix(64))' is not a Debian suite", "write one such as bookworm")
                }
                recipe.suite = suite
            case "packages":
                for item in try list(node, key) {
                    let package = try string(item, key)
                    guard package.utf8.count > 1, Self.isWord(package, also: "+-.") else {
                        throw fault(
                            item, key, "'\(package.prefix(64))' is not a Debian package",
                            "write its name alone, without a version")
                    }
                    recipe.packages.append(package)
                }
            case "files":
                for item in try list(node, key) { recipe.files.append(try file(item)) }
            default:
                for item in try list(node, key) {
                    let command = try string(item, key)
                    guard !command.isEmpty, !command.utf8.contains(0) else {
                        throw fault(item, key, "is empty", "write what /bin/sh runs, or take it out")
                    }
                    recipe.commands.append(command)
                }
            }
        }
        return recipe
    }

    private func file(_ node: Node) throws(FileFault) -> Recipe.File {
        var source: String?
        var target: String?
        var mode: UInt16 = 0o644
        for (key, value) in try entries(node, prefix: "files.", known: Self.fileKeys) {
            switch key {
            case "source":
                let name = try string(value, "files.source")
                guard !name.hasPrefix("/"), Self.isPlain("/" + name) else {
                    throw fault(
                        value, "files.source", "is not a path below the recipe's directory", "put the file there")
                }
                var status = stat()
                let place = "\(directory)/\(name)"
                guard lstat(place, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                    throw fault(value, "files.source", "\(place) is not a regular file", "put the file there")
                }
                source = place
            case "target":
                let place = try string(value, "files.target")
                guard place.hasPrefix("/"), Self.isPlain(place), !place.hasSuffix("/") else {
                    throw fault(
                        value, "files.target", "is not an absolute path without '..'", "write such as /etc/motd")
                }
                target = place
            default:
                guard let text = value.scalar?.string,
                    let bits = UInt16(text.hasPrefix("0o") ? text.dropFirst(2) : text[...], radix: 8),
                    bits <= 0o777
                else { throw fault(value, "files.mode", "is not a mode", "write octal digits, such as 0755") }
                mode = bits
            }
        }
        guard let source, let target else {
            throw fault(node, "files", "needs 'source' and 'target'", "write both for each file")
        }
        return Recipe.File(source: source, target: target, mode: mode)
    }

    /// Lower-case letters, digits and a few signs, the first a letter or digit.
    private static func isWord(_ text: String, also signs: String) -> Bool {
        guard let first = text.utf8.first, !signs.utf8.contains(first), text.utf8.count <= 128 else { return false }
        return text.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                || signs.utf8.contains($0)
        }
    }

    private static func isPlain(_ path: String) -> Bool {
        path.utf8.count < 1024 && path.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
            && !path.split(separator: "/").contains { $0 == ".." || $0 == "." } && path.utf8.count > 1
    }

    // MARK: YAML

    private func fault(_ node: Node, _ key: String, _ problem: String, _ remedy: String) -> FileFault {
        FileFault(file: path, line: node.mark?.line, key: key, problem: problem, remedy: remedy)
    }

    private func compose(_ text: String) throws(FileFault) -> Node? {
        do { return try Yams.compose(yaml: text) } catch {
            let words = "\(error)".split(separator: "\n").joined(separator: " ")
            throw FileFault(
                file: path, problem: "is not YAML: \(words.prefix(300))",
                remedy: "correct the file; keys are \(Self.keys.joined(separator: ", "))")
        }
    }

    private func string(_ node: Node, _ key: String) throws(FileFault) -> String {
        guard case .scalar(let scalar) = node, node.tag == Tag(.str) else {
            throw fault(node, key, "is not text", "write text, in quotes if need be")
        }
        return scalar.string
    }

    private func list(_ node: Node, _ key: String) throws(FileFault) -> [Node] {
        guard case .sequence(let sequence) = node, sequence.count <= Self.most else {
            throw fault(node, key, "is not a list", "write lines of '- value', at most \(Self.most)")
        }
        return Array(sequence)
    }

    private func entries(_ node: Node, prefix: String, known: [String]) throws(FileFault) -> [(String, Node)] {
        guard case .mapping(let mapping) = node else {
            throw FileFault(
                file: path, line: node.mark?.line, key: prefix.isEmpty ? nil : String(prefix.dropLast()),
                problem: "is not a mapping", remedy: "write lines of 'key: value'")
        }
        var entries: [(String, Node)] = []
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key, known.contains(scalar.string) else {
                throw FileFault(
                    file: path, line: key.mark?.line, key: prefix + (key.scalar?.string.prefix(64) ?? "?"),
                    problem: "unknown key", remedy: "keys here are \(known.joined(separator: ", "))")
            }
            entries.append((scalar.string, value))
        }
        return entries
    }
}
