import Foundation

/// The policies of one directory, read at once: `<name>.yaml` each. Immutable; a reload makes a new store.
public struct PolicyStore: Sendable {
    private let policies: [String: SessionPolicy]

    /// The largest policy file, in bytes.
    public static let largestFile = 64 * 1024
    /// The most policies in one directory.
    public static let most = 1000

    /// Reads every `*.yaml` of the directory. Where the directory does not exist, or has no `default.yaml`, the
    /// built-in default stands.
    /// - Throws: the first fault; of a policy and the one it extends, the latter's.
    public init(directory: String) throws(FileFault) {
        var sources: [String: PolicyFamily.Source] = [:]
        for file in try Self.files(in: directory) {
            let path = "\(directory)/\(file)"
            let name = try Self.name(of: path)
            sources[name] = PolicyFamily.Source(path: path, text: try Self.text(of: path))
        }
        var family = PolicyFamily(sources)
        var found = [SessionPolicy.defaultName: SessionPolicy.builtIn]
        for name in sources.keys.sorted() { found[name] = family.read(name)?.policy }
        if let fault = family.faults.first { throw fault }
        policies = found
    }

    /// All that is wrong with one file and with those that it extends, which lie in the same directory.
    public static func faults(inFile path: String) -> [FileFault] {
        let directory = (path as NSString).deletingLastPathComponent
        do throws(FileFault) {
            let name = try name(of: path)
            var sources: [String: PolicyFamily.Source] = [:]
            for file in try files(in: directory.isEmpty ? "." : directory) {
                let neighbour = directory.isEmpty ? file : (directory as NSString).appendingPathComponent(file)
                // A neighbour that cannot be read is missed only by who extends it.
                guard let text = try? text(of: neighbour) else { continue }
                sources[String(file.dropLast(".yaml".count))] = PolicyFamily.Source(path: neighbour, text: text)
            }
            sources[name] = PolicyFamily.Source(path: path, text: try text(of: path))
            var family = PolicyFamily(sources)
            _ = family.read(name)
            return family.faults
        } catch {
            return [error]
        }
    }

    /// The file of a policy as it is written, for a person.
    public static func text(of name: String, in directory: String) throws(FileFault) -> String? {
        guard SessionPolicy.isName(name), try files(in: directory).contains("\(name).yaml") else { return nil }
        return try text(of: "\(directory)/\(name).yaml")
    }

    private static func name(of path: String) throws(FileFault) -> String {
        let file = (path as NSString).lastPathComponent
        let name = file.hasSuffix(".yaml") ? String(file.dropLast(".yaml".count)) : ""
        guard SessionPolicy.isName(name) else {
            throw FileFault(
                file: path, problem: "the file's name is not a policy's",
                remedy: "rename it to NAME.yaml: 1 to 64 of a-z, 0-9, '-' and '_', a letter or digit first")
        }
        return name
    }

    /// The given policies, and the built-in default unless one of them has its name.
    public init(_ given: [SessionPolicy] = []) {
        var policies = [SessionPolicy.defaultName: SessionPolicy.builtIn]
        for policy in given { policies[policy.name] = policy }
        self.policies = policies
    }

    /// The policy a session that names none gets.
    public var standard: SessionPolicy { policies[SessionPolicy.defaultName] ?? .builtIn }

    /// Sorted.
    public var names: [String] { policies.keys.sorted() }

    /// All policies, by name.
    public var all: [SessionPolicy] { policies.values.sorted { $0.name < $1.name } }

    /// nil stands for the default; an unknown name gives nil.
    public func policy(named name: String?) -> SessionPolicy? { policies[name ?? SessionPolicy.defaultName] }

    private static func files(in directory: String) throws(FileFault) -> [String] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            guard FileManager.default.fileExists(atPath: directory) else { return [] }
            throw FileFault(
                file: directory, problem: "cannot be read as a directory: \(error.localizedDescription)",
                remedy: "name a directory that the supervisor may read")
        }
        let files = names.filter { $0.hasSuffix(".yaml") && !$0.hasPrefix(".") }.sorted()
        if let other = names.first(where: { $0.hasSuffix(".yml") }) {
            throw FileFault(
                file: "\(directory)/\(other)", problem: "would not be read", remedy: "rename it to end in .yaml")
        }
        guard files.count <= most else {
            throw FileFault(file: directory, problem: "holds over \(most) policies", remedy: "remove some")
        }
        return files
    }

    private static func text(of path: String) throws(FileFault) -> String {
        guard let handle = FileHandle(forReadingAtPath: path), let data = try? handle.read(upToCount: largestFile + 1)
        else {
            // An empty file reads as nil too.
            if FileManager.default.isReadableFile(atPath: path), isEmptyFile(path) { return "" }
            throw FileFault(file: path, problem: "cannot be read", remedy: "let the supervisor read the file")
        }
        guard data.count <= largestFile else {
            throw FileFault(file: path, problem: "is over \(largestFile) bytes", remedy: "shorten it")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw FileFault(file: path, problem: "is not UTF-8", remedy: "save it as UTF-8")
        }
        return text
    }

    private static func isEmptyFile(_ path: String) -> Bool {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return attributes?[.type] as? FileAttributeType == .typeRegular && attributes?[.size] as? UInt64 == 0
    }
}
