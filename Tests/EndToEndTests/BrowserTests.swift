import EndToEndSupport
import Foundation
import Testing

/// The page in a real browser. What a person does there is in Tests/Browser.
@Suite struct BrowserTests {
    static let python = Programs.packageRoot.appending(path: ".deps/venv/bin/python").path

    /// Runs a script against a server of its own; answers the session that it made.
    private func use(_ script: String, _ check: (Rookery, String) -> Void) async throws {
        try await Rookery.with { rookery in
            try #require(
                FileManager.default.isExecutableFile(atPath: Self.python), "run Scripts/setup test first: no Playwright"
            )
            let pictures = rookery.root.appending(path: "pictures")
            try FileManager.default.createDirectory(at: pictures, withIntermediateDirectories: true)
            let path = Programs.packageRoot.appending(path: "Tests/Browser/\(script)").path
            let result = try await run(
                [Self.python, path, rookery.address, "\(rookery.stateDirectory)/admin-token", pictures.path],
                within: .seconds(600), logs: rookery.root)

            #expect(result.status == 0, "\(result.errors)")
            let session = result.output.trimmingCharacters(in: .whitespacesAndNewlines)
            guard result.status == 0 else { return }
            rookery.created.add(session)
            check(rookery, session)
        }
    }

    @Test func aPersonUsesThePage() async throws {
        try await use("page_test.py") { rookery, session in
            #expect(FileManager.default.fileExists(atPath: rookery.path("/workspace/made-by-bash", of: session)))
        }
    }

    @Test func aPersonTalksToAStructuredSession() async throws {
        try await use("conversation_test.py") { rookery, session in
            for file in ["made-from-the-page", "made-by-the-phone"] {
                #expect(
                    FileManager.default.fileExists(atPath: rookery.path("/workspace/\(file)", of: session)), "\(file)")
            }
        }
    }

    @Test func aPersonReadsALongPastFromItsEnd() async throws {
        try await use("history_test.py") { _, _ in }
    }

    @Test func aPageUsesTheClientLibrary() async throws {
        try await Rookery.with { rookery in
            try #require(
                FileManager.default.isExecutableFile(atPath: Self.python), "run Scripts/setup test first: no Playwright"
            )
            let script = Programs.packageRoot.appending(path: "Tests/Browser/client_test.py").path
            let result = try await run(
                [Self.python, script, rookery.address, "\(rookery.stateDirectory)/admin-token"],
                within: .seconds(300), logs: rookery.root)
            #expect(result.status == 0, "\(result.errors)")
            for session in result.output.split(separator: "\n") { rookery.created.add(String(session)) }
        }
    }
}
