import Policy
import Registry
import SessionCore
import Supervisor

extension SessionCreation {
    /// Body of `POST /v1/sessions`.
    init(body: JSONValue) throws(Problem) {
        let fields = try BodyFields(
            body,
            allowed: [
                "id", "name", "kind", "policy", "image", "size", "env", "labels", "model", "permission_mode",
                "idle_timeout", "max_lifetime", "prompt", "egress",
            ], unsupported: ["repository"])
        self.init()
        id = try fields.sessionID("id")
        name = try fields.string("name", most: 200)
        kind = try fields.choice("kind", of: SessionKind.self)
        guard kind != .remote else {
            throw Problem.invalid(
                "a session of kind 'remote' dials in by itself: rookery wrap --structured", field: "kind")
        }
        policy = try fields.string("policy", most: 100)
        image = try fields.string("image", most: 100)
        if let size = try fields.fields("size", allowed: ["cols", "rows"]) {
            self.size = TerminalSize(
                cols: try size.integer("cols", in: 2...500), rows: try size.integer("rows", in: 2...300))
        }
        env = try fields.strings(
            "env", entries: 100, keyPattern: isEnvironmentName,
            keyRule: "a variable's name has letters, digits and underscores", longest: 32 * 1024)
        labels = try fields.labels()
        model = try fields.string("model", most: 200)
        permissionMode = try fields.string("permission_mode", most: 100)
        idleTimeout = try fields.duration("idle_timeout")
        maxLifetime = try fields.duration("max_lifetime")
        egress = try fields.texts("egress", most: EgressPolicy.mostTargets, longest: 400)
        prompt = try fields.string("prompt", most: InputBody.longest, controls: true)
    }
}

extension SessionCreation {
    /// Body of `POST /v1/sessions/{id}/fork`: what is not said is as in the session that is copied.
    init(forkBody body: JSONValue) throws(Problem) {
        let fields = try BodyFields(body, allowed: ["id", "name", "labels", "model", "permission_mode", "prompt"])
        self.init()
        id = try fields.sessionID("id")
        name = try fields.string("name", most: 200)
        labels = try fields.labels()
        model = try fields.string("model", most: 200)
        permissionMode = try fields.string("permission_mode", most: 100)
        prompt = try fields.string("prompt", most: InputBody.longest, controls: true)
    }
}

extension SessionPatch {
    /// Body of `PATCH /v1/sessions/{id}`.
    init(body: JSONValue) throws(Problem) {
        let fields = try BodyFields(
            body, allowed: ["name", "labels", "pinned", "idle_timeout", "max_lifetime"], nullable: false)
        self.init(
            name: try fields.string("name", most: 200), labels: try fields.labels(),
            pinned: try fields.bool("pinned"), idleTimeout: try fields.duration("idle_timeout"),
            maxLifetime: try fields.duration("max_lifetime"))
    }
}

/// Body of `POST …/input`.
struct InputBody {
    /// Bytes of text in one input: fits a control frame however the text escapes.
    static let longest = 128 * 1024

    var text: String
    var clientID: String?
    var submit: Bool

    init(body: JSONValue) throws(Problem) {
        let fields = try BodyFields(body, allowed: ["text", "client_id", "submit"])
        text = try fields.requiredString("text", most: Self.longest, controls: true)
        clientID = try fields.string("client_id", most: 200)
        submit = try fields.bool("submit") ?? true
    }
}

extension BodyFields {
    fileprivate func labels() throws(Problem) -> [String: String]? {
        try strings(
            "labels", entries: 64, keyPattern: isLabelName,
            keyRule: "a label's name has up to 63 letters, digits and . _ - /", longest: 255)
    }
}

private func isEnvironmentName(_ name: String) -> Bool {
    guard let first = name.utf8.first, name.utf8.count <= 200 else { return false }
    return (isLetter(first) || first == UInt8(ascii: "_"))
        && name.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
}

private func isLabelName(_ name: String) -> Bool {
    (1...63).contains(name.utf8.count)
        && name.utf8.allSatisfy { isLetter($0) || isDigit($0) || "._-/".utf8.contains($0) }
}

private func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
}

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
