import Yams

/// One value of a policy's file with its place, read as the type its key wants.
struct PolicyValue {
    let path: String
    let key: String
    let node: Node

    func fault(_ problem: String, remedy: String) -> PolicyError {
        PolicyError(file: path, line: node.mark?.line, key: key, problem: problem, remedy: remedy)
    }

    private func scalar(_ wanted: String) throws(PolicyError) -> Node.Scalar {
        guard case .scalar(let scalar) = node else {
            throw fault("is a list or a mapping", remedy: "write \(wanted)")
        }
        return scalar
    }

    /// `null`, `~` or `never` is nil.
    func optional<Value>(_ read: (PolicyValue) throws(PolicyError) -> Value) throws(PolicyError) -> Value? {
        if case .scalar(let scalar) = node, scalar.style == .plain, ["", "~", "null", "never"].contains(scalar.string) {
            return nil
        }
        return try read(self)
    }

    func string() throws(PolicyError) -> String {
        let scalar = try scalar("a word")
        guard node.tag == Tag(.str) else { throw fault("is not text", remedy: "write it in quotes") }
        return scalar.string
    }

    /// Text or a number as it is written. YAML reads `yes`, `off` and the like as truth values and an empty place as
    /// null; those must be quoted, or what reaches the session is not what was meant.
    func scalarText() throws(PolicyError) -> String {
        let scalar = try scalar("text")
        let unclear: [Tag] = [Tag(.bool), Tag(.null)]
        guard !unclear.contains(node.tag) else {
            throw fault("'\(scalar.string)' is not text to YAML", remedy: "write it in quotes")
        }
        return scalar.string
    }

    func model() throws(PolicyError) -> String {
        let text = try scalarText()
        guard SessionPolicy.isModel(text) else {
            throw fault("is not a model's name", remedy: "write what 'claude --model' takes")
        }
        return text
    }

    func integer(in range: ClosedRange<Int>) throws(PolicyError) -> Int {
        let wanted = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        let scalar = try scalar(wanted)
        guard scalar.style == .plain, let number = Int(scalar.string) else {
            throw fault("'\(scalar.string.prefix(64))' is not a whole number", remedy: "write \(wanted)")
        }
        guard range.contains(number) else { throw fault("\(number) is out of bounds", remedy: "write \(wanted)") }
        return number
    }

    func size(in range: ClosedRange<ByteSize>) throws(PolicyError) -> ByteSize {
        let wanted = "a size from \(range.lowerBound) to \(range.upperBound)"
        let text = try scalar(wanted).string
        guard let size = ByteSize(parsing: text) else {
            throw fault("'\(text.prefix(64))' is not a size", remedy: "write \(wanted), such as 512MiB or 2GiB")
        }
        guard range.contains(size) else { throw fault("\(size) is out of bounds", remedy: "write \(wanted)") }
        return size
    }

    func span(in range: ClosedRange<TimeSpan>) throws(PolicyError) -> TimeSpan {
        let wanted = "a time from \(range.lowerBound) to \(range.upperBound)"
        let text = try scalar(wanted).string
        guard let span = TimeSpan(parsing: text) else {
            throw fault("'\(text.prefix(64))' is not a time", remedy: "write \(wanted), such as 90s, 20m or 8h")
        }
        guard range.contains(span) else { throw fault("\(span) is out of bounds", remedy: "write \(wanted)") }
        return span
    }
}
