import Yams

/// A policy while it is read: what the file and those it extends say so far, where each value was written, and what is
/// wrong.
struct PolicyReading {
    /// The file that is being read.
    var path: String
    var policy: SessionPolicy
    /// The last place of each key, by its dotted path.
    var places: [String: Place] = [:]
    /// The word with which an operator confirms `network: host`.
    var trusted = false
    var faults: [FileFault] = []

    struct Place: Hashable {
        var file: String
        var line: Int?
    }

    init(path: String, name: String) {
        self.path = path
        policy = SessionPolicy(name: name)
    }

    /// What a child begins with: all that the parent says, but its name and description.
    func child(path: String, name: String) -> PolicyReading {
        var child = self
        child.path = path
        child.policy.name = name
        child.policy.description = ""
        child.faults = []
        return child
    }

    /// Does one step; its fault is kept, and the next step is done all the same.
    mutating func attempt(_ step: (inout PolicyReading) throws(FileFault) -> Void) {
        do throws(FileFault) { try step(&self) } catch { faults.append(error) }
    }

    /// The known keys of a mapping, in the file's order. An unknown one is a fault, with the nearest known one.
    mutating func entries<Key: CaseIterable & RawRepresentable<String>>(
        of node: Node, prefix: String, as keys: Key.Type
    ) throws(FileFault) -> [(Key, PolicyValue)] {
        var entries: [(Key, PolicyValue)] = []
        for value in try members(of: node, prefix: prefix) {
            let name = String(value.key.dropFirst(prefix.count))
            if let key = Key(rawValue: name) {
                entries.append((key, value))
                continue
            }
            let known = keys.allCases.map(\.rawValue)
            let hint = NearestWord.of(name, among: known).map { "did you mean '\($0)'? " } ?? ""
            faults.append(
                FileFault(
                    file: path, line: value.line, key: prefix + name.prefix(64), problem: "unknown key",
                    remedy: "\(hint)keys here are \(known.joined(separator: ", "))"))
        }
        return entries
    }

    /// All keys of a mapping, whatever they are.
    mutating func members(of node: Node, prefix: String) throws(FileFault) -> [PolicyValue] {
        let key = prefix.isEmpty ? nil : String(prefix.dropLast())
        guard case .mapping(let mapping) = node else {
            throw FileFault(
                file: path, line: node.mark?.line, key: key, problem: "is not a mapping",
                remedy: "write lines of 'key: value'")
        }
        var values: [PolicyValue] = []
        for (name, node) in mapping {
            guard case .scalar(let scalar) = name else {
                faults.append(
                    FileFault(
                        file: path, line: name.mark?.line, key: key, problem: "a key is not a word",
                        remedy: "write 'key: value'"))
                continue
            }
            let value = PolicyValue(path: path, key: prefix + scalar.string, node: node, line: name.mark?.line)
            places[value.key] = Place(file: path, line: value.line)
            values.append(value)
        }
        return values
    }

    /// What no policy can mean, at the place of one of the values that do not go together: best in this very file.
    mutating func checkConsistency() {
        for contradiction in policy.contradictions(trusted: trusted) {
            let key =
                contradiction.keys.first { places[$0]?.file == path }
                ?? contradiction.keys.first { places[$0] != nil } ?? contradiction.keys[0]
            let place = places[key] ?? Place(file: path, line: nil)
            faults.append(
                FileFault(
                    file: place.file, line: place.line, key: key, problem: contradiction.problem,
                    remedy: contradiction.remedy))
        }
    }
}
