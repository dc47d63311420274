import Foundation
import Glibc
import Policy
import Testing

@testable import ImageBuilding

@Suite struct RecipeTests {
    /// Directories with a recipe each, removed at the end.
    final class Shelf {
        let path: String

        init(_ recipes: [String: String]) throws {
            path = NSTemporaryDirectory() + "rkr-\(UUID().uuidString.prefix(8))"
            for (name, text) in recipes {
                try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
                try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)/recipe.yaml"))
                try Data("hello\n".utf8).write(to: URL(filePath: "\(path)/\(name)/motd"))
                symlink("/etc/passwd", "\(path)/\(name)/link")
            }
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func recipe(_ name: String) throws -> Recipe { try RecipeReader.recipe(in: "\(path)/\(name)") }
    }

    @Test func readsWhatIsWritten() throws {
        let shelf = try Shelf([
            "tools": """
            description: what we need
            suite: bookworm
            packages: [git, g++, libc6-dev]
            files:
              - source: motd
                target: /etc/motd
              - {source: motd, target: /usr/local/bin/hello, mode: 0755}
            commands:
              - echo "done" > /etc/done
            """
        ])
        let recipe = try shelf.recipe("tools")
        #expect(recipe.name == "tools")
        #expect(recipe.description == "what we need")
        #expect(recipe.suite == "bookworm")
        #expect(recipe.packages == ["git", "g++", "libc6-dev"])
        #expect(recipe.files.map(\.target) == ["/etc/motd", "/usr/local/bin/hello"])
        #expect(recipe.files.map(\.mode) == [0o644, 0o755])
        #expect(recipe.commands == ["echo \"done\" > /etc/done"])
    }

    @Test func aRecipeAddsToTheOneItBuildsOn() throws {
        let shelf = try Shelf([
            "a": "suite: bookworm\npackages: [x1, x2]\ncommands: [one]",
            "b": "from: a\npackages: [x2, x3]\ncommands: [two]", "c": "from: b\nsuite: trixie\ndescription: last",
        ])
        let recipe = try shelf.recipe("c")
        #expect(recipe.packages == ["x1", "x2", "x3"])
        #expect(recipe.commands == ["one", "two"])
        #expect(recipe.suite == "trixie")
        #expect(try shelf.recipe("b").suite == "bookworm")
        #expect(try shelf.recipe("b").description == nil)
    }

    @Test func theDigestCoversFilesToo() throws {
        let shelf = try Shelf(["a": "suite: bookworm\nfiles: [{source: motd, target: /etc/motd}]"])
        let before = try shelf.recipe("a").digest()
        #expect(try shelf.recipe("a").digest() == before)
        try Data("changed\n".utf8).write(to: URL(filePath: "\(shelf.path)/a/motd"))
        #expect(try shelf.recipe("a").digest() != before)
    }

    /// Text, line, key, words of the problem or remedy.
    static let faults: [(String, Int?, String?, String)] = [
        ("", nil, nil, "empty"),
        ("- a", 1, nil, "not a mapping"),
        ("suite: [", nil, nil, "not YAML"),
        ("suite: bookworm\npackagse: []", 2, "packagse", "unknown key"),
        ("packages: []", nil, "suite", "missing"),
        ("suite: ../x", 1, "suite", "not a Debian suite"),
        ("suite: 12", 1, "suite", "not text"),
        ("suite: bookworm\npackages: git", 2, "packages", "not a list"),
        ("suite: bookworm\npackages:\n  - git\n  - --force", 4, "packages", "not a Debian package"),
        ("suite: bookworm\npackages: ['git=1']", 2, "packages", "not a Debian package"),
        ("suite: bookworm\npackages: ['a,b']", 2, "packages", "not a Debian package"),
        ("from: host", 1, "from", "not a recipe"),
        ("from: ../x", 1, "from", "not a recipe"),
        ("from: nonesuch", nil, nil, "cannot be read"),
        ("from: a", nil, "from", "circle"),
        ("suite: bookworm\nfiles: [{source: motd}]", 2, "files", "needs"),
        ("suite: bookworm\nfiles: [{source: motd, target: /a, owner: x}]", 2, "files.owner", "unknown key"),
        ("suite: bookworm\nfiles: [{source: ../../etc/passwd, target: /a}]", 2, "files.source", "not a path"),
        ("suite: bookworm\nfiles: [{source: /etc/passwd, target: /a}]", 2, "files.source", "not a path"),
        ("suite: bookworm\nfiles: [{source: link, target: /a}]", 2, "files.source", "not a regular file"),
        ("suite: bookworm\nfiles: [{source: none, target: /a}]", 2, "files.source", "not a regular file"),
        ("suite: bookworm\nfiles: [{source: motd, target: /a/../../b}]", 2, "files.target", "absolute path"),
        ("suite: bookworm\nfiles: [{source: motd, target: etc/motd}]", 2, "files.target", "absolute path"),
        ("suite: bookworm\nfiles: [{source: motd, target: /a, mode: 04755}]", 2, "files.mode", "not a mode"),
        ("suite: bookworm\nfiles: [{source: motd, target: /a, mode: rwx}]", 2, "files.mode", "not a mode"),
        ("suite: bookworm\ncommands: ['']", 2, "commands", "empty"),
        ("suite: bookworm\ncommands: [[a]]", 2, "commands", "not text"),
        ("suite: bookworm\ndescription: \"a\\nb\"", 2, "description", "one line"),
    ]

    @Test(arguments: faults.indices) func saysWhatIsWrongAndWhere(index: Int) throws {
        let (text, line, key, words) = Self.faults[index]
        let shelf = try Shelf(["a": text])
        let error = #expect(throws: FileFault.self) { try shelf.recipe("a") }
        #expect(error?.line == line, "\(String(describing: error))")
        #expect(error?.key == key, "\(String(describing: error))")
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
        #expect(error?.remedy.isEmpty == false)
    }

    @Test func theShippedRecipesAreFine() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path(percentEncoded: false)
        for name in ["minimal", "claude", "dev"] {
            let recipe = try RecipeReader.recipe(in: "\(root)Images/\(name)")
            #expect(recipe.packages.contains("bash") && recipe.description != nil)
        }
    }
}

@Suite struct PackageSourcesTests {
    static let targets = """
        http://mirror/debian/|bookworm|main|$(SIGNED_BY)
        http://mirror/debian/|bookworm|main|$(SIGNED_BY)
        http://mirror/debian/|bookworm-updates|main|/usr/share/keyrings/k.gpg
        http://mirror/debian/|bookworm|contrib|$(SIGNED_BY)
        http://mirror/security/|bookworm-security|main|$(SIGNED_BY)
        https://elsewhere/|cloud-sdk-bookworm|main|$(SIGNED_BY)
        """

    @Test func takesTheMirrorsOfThisMachine() throws {
        let sources = try PackageSources(
            suite: "bookworm", targets: Self.targets,
            configuration: "Acquire::http::Proxy \"http://proxy:1\";\nDir \"/\";\n", host: "bookworm")
        #expect(
            sources.lines == [
                "deb http://mirror/debian/ bookworm main",
                "deb [signed-by=/usr/share/keyrings/k.gpg] http://mirror/debian/ bookworm-updates main",
                "deb http://mirror/security/ bookworm-security main",
            ])
        #expect(sources.options == ["Acquire::http::Proxy \"http://proxy:1\""])
    }

    @Test func anotherSuiteComesFromTheSameMirrors() throws {
        let sources = try PackageSources(suite: "trixie", targets: Self.targets, configuration: "", host: "bookworm")
        #expect(sources.lines.first == "deb http://mirror/debian/ trixie main")
        #expect(sources.lines.last == "deb http://mirror/security/ trixie-security main")
    }

    @Test func noMirrorIsSaid() {
        #expect(throws: (any Error).self) {
            try PackageSources(suite: "bookworm", targets: "", configuration: "", host: "bookworm")
        }
    }
}
