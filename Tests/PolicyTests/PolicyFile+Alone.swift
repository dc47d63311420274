@testable import Policy

extension PolicyFile {
    /// A file on its own. `name` is the file's name without its ending: what the policy is called.
    /// - Throws: the first fault.
    func parse(_ text: String, name: String) throws(FileFault) -> SessionPolicy {
        let reading = read(text, name: name) { name throws(PolicyFamily.Refusal) in
            throw PolicyFamily.Refusal(problem: "there is no policy '\(name)' beside this one", remedy: "remove it")
        }
        if let fault = reading.faults.first { throw fault }
        return reading.policy
    }
}
