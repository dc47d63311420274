import ArgumentParser
import Foundation
import ImageBuilding
import Images

extension Image {
    struct Build: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Build an image from a recipe, as root.",
            discussion: """
                The packages come from the mirrors that this machine's apt is configured with. Needs mmdebstrap and \
                squashfs-tools: 'Scripts/setup images' installs them.
                """)
        @Argument(help: "The recipe's directory, such as Images/claude: its name is the image's.") var recipe: String
        @OptionGroup var options: ImageOptions

        func run() throws {
            let recipe: Recipe
            do { recipe = try RecipeReader.recipe(in: self.recipe) } catch { throw Failure.refused("\(error)") }
            let build = ImageBuild(store: options.store) { printError("\(recipe.name): \($0)") }
            print(line(of: try refusing { try build.build(recipe) }))
        }
    }

    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an image of a directory or tar archive that holds a root filesystem.",
            discussion: "Files in it become root's; set-user-id bits and devices are left out. Needs squashfs-tools.")
        @Argument(help: "What the image is called.") var name: String
        @Argument(help: "A directory, or a tar archive.") var source: String
        @OptionGroup var options: ImageOptions

        func run() throws {
            let build = ImageBuild(store: options.store) { [name] in printError("\(name): \($0)") }
            print(line(of: try refusing { try build.importTree(source, as: name) }))
        }
    }
}

/// What a new image is, on one line.
private func line(of manifest: ImageManifest) -> String {
    "\(manifest.name) \(manifest.digest) \(megabytes(manifest.size))"
}
