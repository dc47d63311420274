/// Policies of one directory, each read after the one it extends.
struct PolicyFamily {
    struct Source {
        var path: String
        var text: String
    }

    /// Why a file may not extend what it wants to.
    struct Refusal: Error {
        var problem: String
        var remedy: String
    }

    /// A chain of more is a mistake, and every step is read on the stack.
    static let longestChain = 8

    let sources: [String: Source]
    private(set) var readings: [String: PolicyReading] = [:]
    /// In the order in which files were read: a parent's come before its child's.
    private(set) var faults: [FileFault] = []

    init(_ sources: [String: Source]) { self.sources = sources }

    /// The policy of a name, with all that it extends. Its faults, and its parents', are added to ``faults`` once.
    mutating func read(_ name: String) -> PolicyReading? { read(name, chain: []) }

    private mutating func read(_ name: String, chain: [String]) -> PolicyReading? {
        if let known = readings[name] { return known }
        guard let source = sources[name] else {
            // The built-in default is there without a file.
            guard name == SessionPolicy.defaultName else { return nil }
            var builtIn = PolicyReading(path: "built-in", name: name)
            builtIn.policy = .builtIn
            return builtIn
        }
        var family = self
        let file = PolicyFile(path: source.path)
        let reading = file.read(source.text, name: name) { parent throws(Refusal) in
            try family.parent(parent, chain: chain + [name])
        }
        self = family
        readings[name] = reading
        faults += reading.faults
        return reading
    }

    private mutating func parent(_ name: String, chain: [String]) throws(Refusal) -> PolicyReading {
        guard !chain.contains(name) else {
            throw Refusal(
                problem: "extends itself: \((chain + [name]).joined(separator: " → "))",
                remedy: "let one of them stand alone")
        }
        guard chain.count < Self.longestChain else {
            throw Refusal(
                problem: "is the end of a chain of over \(Self.longestChain) policies",
                remedy: "extend a policy nearer to the first")
        }
        guard SessionPolicy.isName(name), let reading = read(name, chain: chain) else {
            let known = Set(sources.keys).union([SessionPolicy.defaultName]).sorted()
            let hint = NearestWord.of(name, among: known).map { "did you mean '\($0)'? " } ?? ""
            throw Refusal(
                problem: "there is no policy '\(PolicyValue.shown(name))' beside this one",
                remedy: "\(hint)there are \(known.prefix(20).joined(separator: ", "))")
        }
        guard reading.faults.isEmpty else {
            throw Refusal(problem: "'\(name)' has faults of its own", remedy: "correct it first")
        }
        return reading
    }
}
