import Foundation
import Glibc
public import Images

/// Makes an image out of a recipe, or of a tree that somebody else made, and puts it into the store. What is under way
/// lies in a scratch directory beside the images; nothing half-built is ever seen under a name.
public struct ImageBuild: Sendable {
    public let store: ImageStore
    /// Told what is done, a line a step.
    public let progress: @Sendable (String) -> Void

    public init(store: ImageStore, progress: @escaping @Sendable (String) -> Void = { _ in }) {
        self.store = store
        self.progress = progress
    }

    /// Builds a recipe. Needs root: the packages' own scripts run as root in the tree.
    public func build(_ recipe: Recipe) throws(ImageError) -> ImageManifest {
        guard geteuid() == 0 else {
            throw ImageError("building an image needs root", remedy: "run this with sudo", errno: EPERM)
        }
        _ = try Tool.find("mmdebstrap")
        let digest = try recipe.digest()
        return try make { tree, tool throws(ImageError) in
            try bootstrap(recipe, tree, tool)
            for file in recipe.files { try tree.install(file) }
            for (number, command) in recipe.commands.enumerated() {
                progress("command \(number + 1) of \(recipe.commands.count)")
                try run(command, in: tree, tool)
            }
            return ImageManifest(
                name: recipe.name, digest: digest, size: 0, description: recipe.description, recipe: digest,
                suite: recipe.suite, builtAt: Date())
        }
    }

    /// Makes an image of a directory, or of a tar archive, which holds a root filesystem.
    public func importTree(_ source: String, as name: String) throws(ImageError) -> ImageManifest {
        if let problem = ImageName.problem(with: name) { throw problem }
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: source, isDirectory: &isDirectory) else {
            throw ImageError("\(source) is not there", remedy: "name a directory or a tar archive", errno: ENOENT)
        }
        let isTree = isDirectory.boolValue
        return try make { tree, tool throws(ImageError) in
            if isTree {
                progress("copying \(source)")
                try tool.run("cp", ["-a", "--reflink=auto", "--one-file-system", "\(source)/.", tree.path])
            } else {
                progress("unpacking \(source)")
                try tool.run("tar", ["-C", tree.path, "--numeric-owner", "-xf", source])
            }
            return ImageManifest(
                name: name, digest: ImageDigest(of: ""), size: 0, description: nil, builtAt: Date())
        }
    }

    private func make(
        _ fill: (ImageTree, Tool) throws(ImageError) -> ImageManifest
    ) throws(ImageError) -> ImageManifest {
        _ = try Tool.find("mksquashfs")
        let start = Int(time(nil))
        let scratch = try ImageScratch(in: store)
        defer { scratch.remove() }
        let tool = Tool(log: "\(scratch.path)/log")
        let tree = ImageTree(path: "\(scratch.path)/root")
        guard mkdir(tree.path, 0o755) == 0, chmod(tree.path, 0o755) == 0 else {
            throw ImageError("cannot make \(tree.path)", remedy: "free space on the disk", errno: errno)
        }
        var manifest = try fill(tree, tool)
        progress("preparing the tree")
        try tree.prepare(tool)
        manifest.packages = tree.packages
        // A second is left to the clock of the file system.
        let epoch = try tree.settleTimes(after: start - 1, tool)
        progress("packing")
        let blob = "\(scratch.path)/blob"
        try tool.run(
            "mksquashfs",
            [
                tree.path, blob, "-noappend", "-comp", "zstd", "-Xcompression-level", "12", "-all-root", "-no-xattrs",
                "-no-progress", "-quiet", "-mkfs-time", "\(epoch)",
            ])
        return try store.add(blob: blob) { digest, size in
            manifest.digest = digest
            manifest.size = size
            return manifest
        }
    }

    private func bootstrap(_ recipe: Recipe, _ tree: ImageTree, _ tool: Tool) throws(ImageError) {
        progress("installing \(recipe.packages.count) packages of \(recipe.suite) and what they need")
        let sources = try PackageSources.ofThisHost(suite: recipe.suite, tool: tool)
        var arguments = ["--mode=root", "--variant=essential", "--quiet"]
        // Manuals and translations: sessions read neither. Licences stay.
        for pattern in ["/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/doc/*"] {
            arguments.append("--dpkgopt=path-exclude=\(pattern)")
        }
        arguments.append("--dpkgopt=path-include=/usr/share/doc/*/copyright")
        arguments += sources.options.map { "--aptopt=\($0)" }
        if !recipe.packages.isEmpty { arguments.append("--include=\(recipe.packages.joined(separator: ","))") }
        try tool.run("mmdebstrap", arguments + [recipe.suite, tree.path] + sources.lines)
    }

    /// In namespaces of its own: a command has no network, sees no process of this machine, and leaves none behind.
    private func run(_ command: String, in tree: ImageTree, _ tool: Tool) throws(ImageError) {
        let proc = "\(tree.path)/proc"
        try tool.run(
            "unshare",
            [
                "--mount", "--propagation", "private", "--pid", "--ipc", "--uts", "--net", "--fork", "--kill-child",
                "--mount-proc=\(proc)", "chroot", tree.path, "/bin/sh", "-euc", command,
            ])
    }
}
