import Yams

/// One value of a policy's file with its place, read as the type its key wants.
struct PolicyValue {
    let path: String
    let key: String
    let node: Node
    /// Of the key.
    let line: Int?

    func fault(_ problem: String, remedy: String) -> FileFault {
        FileFault(file: path, line: line, key: String(key.prefix(200)), problem: problem, remedy: remedy)
    }

    private func scalar(_ wanted: String) throws(FileFault) -> Node.Scalar {
        guard case .scalar(let scalar) = node else {
            throw fault("is a list or a mapping", remedy: "write \(wanted)")
        }
        return scalar
    }

    /// What YAML takes a word for: text, a number, a truth value, nothing.
    private func meaning(of scalar: Node.Scalar) -> Tag {
        scalar.style == .plain && node.tag == Tag(.str) ? Node(scalar.string).tag : node.tag
    }

    /// Nothing, `null`, `~` and the word that stands for it here are nil.
    func optional<Value>(
        _ word: String? = nil, _ read: (PolicyValue) throws(FileFault) -> Value
    ) throws(FileFault) -> Value? {
        if case .scalar(let scalar) = node, scalar.style == .plain,
            ["", "~", "null"].contains(scalar.string) || scalar.string == word
        {
            return nil
        }
        return try read(self)
    }

    /// The elements of a list, each with its number in its key.
    func list(most: Int) throws(FileFault) -> [PolicyValue] {
        guard case .sequence(let sequence) = node else {
            throw fault("is not a list", remedy: "write '[a, b]', or a line of '- a' for each")
        }
        guard sequence.count <= most else {
            throw fault("has \(sequence.count) elements", remedy: "write at most \(most)")
        }
        return sequence.enumerated().map { index, node in
            PolicyValue(path: path, key: "\(key)[\(index)]", node: node, line: node.mark?.line ?? line)
        }
    }

    /// One of the words of an enumeration.
    func word<Word: CaseIterable & RawRepresentable<String>>(
        _ what: String, of words: Word.Type
    ) throws(FileFault) -> Word {
        let text = try string()
        if let word = Word(rawValue: text) { return word }
        let known = words.allCases.map(\.rawValue)
        let hint = NearestWord.of(text, among: known).map { "did you mean '\($0)'? " } ?? ""
        throw fault(
            "'\(text.prefix(64))' is not \(what)", remedy: "\(hint)use one of \(known.joined(separator: ", "))")
    }

    /// A set of words; none twice.
    func words<Word: CaseIterable & RawRepresentable<String> & Hashable>(
        _ what: String, of words: Word.Type
    ) throws(FileFault) -> Set<Word> {
        var found: Set<Word> = []
        for value in try list(most: words.allCases.count) {
            let word = try value.word(what, of: words)
            guard found.insert(word).inserted else { throw value.fault("is there twice", remedy: "keep one") }
        }
        return found
    }

    func truth() throws(FileFault) -> Bool {
        let scalar = try scalar("true or false")
        guard scalar.style == .plain, ["true", "false"].contains(scalar.string) else {
            throw fault("'\(scalar.string.prefix(64))' is not true or false", remedy: "write true or false")
        }
        return scalar.string == "true"
    }

    /// Text of 1…`most` bytes without control characters that passes a test.
    func text(
        most: Int, _ what: String, remedy: String, where isFine: (String) -> Bool = { _ in true }
    ) throws(FileFault) -> String {
        let text = try scalarText()
        guard (1...most).contains(text.utf8.count),
            !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }), isFine(text)
        else { throw fault("'\(Self.shown(text))' is not \(what)", remedy: remedy) }
        return text
    }

    /// What may stand in a message of one line.
    static func shown(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(64).map { $0.properties.generalCategory == .control ? "\u{fffd}" : $0 }))
    }

    func string() throws(FileFault) -> String {
        let scalar = try scalar("a word")
        guard meaning(of: scalar) == Tag(.str) else { throw fault("is not text", remedy: "write it in quotes") }
        return scalar.string
    }

    /// Text or a number as it is written. YAML reads `yes`, `off` and the like as truth values and an empty place as
    /// null; those must be quoted, or what reaches the session is not what was meant.
    func scalarText() throws(FileFault) -> String {
        let scalar = try scalar("text")
        let unclear: [Tag] = [Tag(.bool), Tag(.null)]
        guard !unclear.contains(meaning(of: scalar)) else {
            throw fault("'\(scalar.string)' is not text to YAML", remedy: "write it in quotes")
        }
        return scalar.string
    }

    func model() throws(FileFault) -> String {
        let text = try scalarText()
        guard SessionPolicy.isModel(text) else {
            throw fault("is not a model's name", remedy: "write what 'claude --model' takes")
        }
        return text
    }

    func integer(in range: ClosedRange<Int>) throws(FileFault) -> Int {
        let wanted = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        let scalar = try scalar(wanted)
        guard scalar.style == .plain, let number = Int(scalar.string) else {
            throw fault("'\(scalar.string.prefix(64))' is not a whole number", remedy: "write \(wanted)")
        }
        guard range.contains(number) else { throw fault("\(number) is out of bounds", remedy: "write \(wanted)") }
        return number
    }

    func processors() throws(FileFault) -> ProcessorCount {
        if case .scalar(let scalar) = node, scalar.string == ProcessorCount.allButOneWord { return .allButOne }
        do {
            return .upTo(try integer(in: PolicyBounds.processors))
        } catch {
            throw fault(
                error.problem, remedy: "\(error.remedy), \(ProcessorCount.allButOneWord) or \(ProcessorCount.all)")
        }
    }

    func size(in range: ClosedRange<ByteSize>) throws(FileFault) -> ByteSize {
        let wanted = "a size from \(range.lowerBound) to \(range.upperBound)"
        let text = try scalar(wanted).string
        guard let size = ByteSize(parsing: text) else {
            throw fault("'\(text.prefix(64))' is not a size", remedy: "write \(wanted), such as 512MiB or 2GiB")
        }
        guard range.contains(size) else { throw fault("\(size) is out of bounds", remedy: "write \(wanted)") }
        return size
    }

    func span(in range: ClosedRange<TimeSpan>) throws(FileFault) -> TimeSpan {
        let wanted = "a time from \(range.lowerBound) to \(range.upperBound)"
        let text = try scalar(wanted).string
        guard let span = TimeSpan(parsing: text) else {
            throw fault("'\(text.prefix(64))' is not a time", remedy: "write \(wanted), such as 90s, 20m or 8h")
        }
        guard range.contains(span) else { throw fault("\(span) is out of bounds", remedy: "write \(wanted)") }
        return span
    }
}
