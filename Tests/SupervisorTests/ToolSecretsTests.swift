import Foundation
import Testing

@testable import Supervisor

@Suite struct ToolSecretsTests {
    private func with(_ body: (_ directory: String, ToolSecrets) throws -> Void) throws {
        let directory = "/tmp/ts-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(directory, ToolSecrets(directory: directory))
    }

    private func write(_ text: String, to path: String, mode: Int = 0o600) throws {
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    @Test func `a value is its file's one line, and a new one holds at once`() throws {
        try with { directory, secrets in
            try write("Bearer one\n", to: directory + "/git")
            #expect(try secrets.value(of: "git") == "Bearer one")
            try write("Bearer two", to: directory + "/git")
            #expect(try secrets.value(of: "git") == "Bearer two")
        }
    }

    @Test(arguments: [
        ("Bearer x\n", 0o640), ("Bearer x\n", 0o604), ("", 0o600), ("\n", 0o600), ("a\nb\n", 0o600),
        ("a\r\nx-other: b", 0o600), ("schl\u{fc}ssel", 0o600), (String(repeating: "x", count: 9000), 0o600),
    ])
    func `is no value that is sent anywhere, and the error does not show it`(text: String, mode: Int) throws {
        try with { directory, secrets in
            try write(text, to: directory + "/git", mode: mode)
            let error = #expect(throws: ToolSecrets.Unusable.self) { try secrets.value(of: "git") }
            #expect(error?.description.contains("\(directory)/git") == true)
            #expect(text.isEmpty || error?.description.contains(text) == false)
        }
    }

    @Test func `a name leads to no file but its own`() throws {
        try with { directory, secrets in
            try write("Bearer x", to: directory + "/git")
            try FileManager.default.createSymbolicLink(atPath: directory + "/link", withDestinationPath: "git")
            try FileManager.default.createDirectory(atPath: directory + "/folder", withIntermediateDirectories: true)
            #expect(try secrets.value(of: "none") == nil)
            for name in ["link", "folder", "../\((directory as NSString).lastPathComponent)/git", "/git", ""] {
                #expect(throws: ToolSecrets.Unusable.self, "\(name)") { try secrets.value(of: name) }
            }
        }
    }
}
