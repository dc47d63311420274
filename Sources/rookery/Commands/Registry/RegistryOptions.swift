import ArgumentParser
import CLinux
import Foundation
import Registry
import SessionCore

/// What every `rookery registry` command takes.
struct RegistryOptions: ParsableArguments {
    @Option(help: "The state directory, as 'rookery serve' has it (ROOKERY_STATE_DIR).") var stateDir: String?
    @Option(help: "How to print answers: table or json.") var output = OutputFormat.table

    /// The state directory, as whose owner this process goes on: root would leave files behind that the supervisor may
    /// not touch.
    func directory() throws -> String {
        let surroundings = Surroundings.current()
        let environment = surroundings.environment
        let named = [stateDir, environment["ROOKERY_STATE_DIR"], environment["ECHOKIT_WORKING_PATH"]]
            .compactMap { $0 }.first { !$0.isEmpty }
        let path = surroundings.absolute(named ?? surroundings.directories.state)
        guard let found = FileIdentity(path), found.isDirectory else {
            throw Failure.refused("there is no state directory \(path): name another with --state-dir")
        }
        if geteuid() == 0, found.uid != 0 {
            let result = rk_become(found.uid, found.gid)
            guard result == 0 else {
                throw Failure.refused(
                    "cannot become uid \(found.uid), who owns \(path): \(String(cString: strerror(-result)))")
            }
        }
        guard access(path, R_OK | X_OK) == 0 else {
            throw Failure.refused("\(path) cannot be read by this user: run this as root, or as uid \(found.uid)")
        }
        return path
    }

    /// The registry's errors in the words of a command line.
    static func explained<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as RegistryError {
            var text = error.description
            if case .locked = error { text += ". 'check' and 'backup' work beside it" }
            throw Failure.refused(text)
        }
    }
}

extension JSONValue {
    /// A value as the document that it is encoded to.
    init(documenting value: some Encodable) throws {
        self = try JSONDecoder().decode(JSONValue.self, from: try JSONEncoder.rookery.encode(value))
    }
}
