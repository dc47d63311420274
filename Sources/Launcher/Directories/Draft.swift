import Glibc
import Sandbox

/// A file under the name that it has until it is whole: `.<name>.new`. A launcher that is killed meanwhile leaves it.
struct Draft {
    let name: String
    let directory: Directory

    private static let prefix = "."
    private static let suffix = ".new"

    init(of name: String, in directory: Directory) {
        self.name = Self.prefix + name + Self.suffix
        self.directory = directory
    }

    var path: String { "\(directory.path)/\(name)" }

    func open(flags: Int32) throws(SystemError) -> OwnedDescriptor {
        try directory.open(name, flags: flags | O_CREAT, mode: 0o600)
    }

    /// Gives it the name that it was made for.
    func publish(as final: String) throws(SystemError) {
        let number = directory.descriptor.number
        guard renameat(number, name, number, final) == 0 else {
            throw SystemError(call: "rename \(path)", errno: errno)
        }
    }

    /// Fine when there is none.
    func remove() { _ = unlinkat(directory.descriptor.number, name, 0) }

    /// What the drafts of a directory were to be.
    static func names(in directory: Directory) -> [String] {
        ((try? directory.names()) ?? []).compactMap { name in
            guard name.hasPrefix(prefix), name.hasSuffix(suffix),
                name.utf8.count > prefix.utf8.count + suffix.utf8.count
            else { return nil }
            return String(name.dropFirst(prefix.count).dropLast(suffix.count))
        }
    }

    /// Removes all of a directory. For whoever holds the launcher's lock and has not begun: nobody makes them any more.
    static func removeAll(in directory: Directory) {
        for name in names(in: directory) { Draft(of: name, in: directory).remove() }
    }
}
