extension PermissionAnswer {
    /// The answer that stands at a place of Claude Code's own dialog, counted from 0: of a question that is one, its option
    /// there; of a tool yes, yes for the rest of the session, and no; of anything else yes and no.
    ///
    /// - Parameter permission: as `permission.requested` has it.
    public init(choosing index: Int, of permission: JSONValue) {
        let id = permission["id"]?.string ?? ""
        let kind = permission["kind"]?.string.flatMap(PermissionLedger.Question.Kind.init(rawValue:)) ?? .tool
        if kind == .question, let question = Self.onlyQuestion(of: permission),
            let options = question["options"]?.array, options.indices.contains(index),
            let label = options[index]["label"]?.string, let text = question["question"]?.string
        {
            self.init(id: id, decision: .allow, answers: [text: label])
            return
        }
        switch index {
        case 0: self.init(id: id, decision: .allow)
        case 1 where kind == .tool: self.init(id: id, decision: .allow, remember: .session)
        default: self.init(id: id, decision: .deny)
        }
    }

    /// The answer that a person's words are: of a question that is one, what is answered; of anything else no, with the
    /// words for the model.
    public init(words: String, of permission: JSONValue) {
        let id = permission["id"]?.string ?? ""
        if permission["kind"]?.string == PermissionLedger.Question.Kind.question.rawValue,
            let text = Self.onlyQuestion(of: permission)?["question"]?.string
        {
            self.init(id: id, decision: .allow, answers: [text: words])
        } else {
            self.init(id: id, decision: .deny, message: words)
        }
    }

    private static func onlyQuestion(of permission: JSONValue) -> JSONValue? {
        guard let questions = permission["tool_input"]?["questions"]?.array, questions.count == 1 else { return nil }
        return questions[0]
    }
}
