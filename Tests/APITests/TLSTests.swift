import Foundation
import Testing

@testable import API

/// TLS with a certificate made for the test; needs the openssl program, which `make` installs nowhere by itself.
@Suite(.timeLimit(.minutes(2)), .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")))
struct TLSTests {
    private func run(_ program: String, _ arguments: [String]) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }

    @Test func speaksHTTPSAndNothingElseOnThatPort() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let files = TLSFiles(certificate: directory.path + "/cert.pem", key: directory.path + "/key.pem")
        _ = try run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                files.key, "-out", files.certificate, "-days", "1", "-subj", "/CN=localhost",
            ])
        try await ServerFixture.run(tls: files) { server in
            #expect(server.bound[0].url == "https://127.0.0.1:\(server.port)")
            let answer = try await withCheckedThrowingContinuation { continuation in
                // A thread of its own: the server's handlers run on the pool.
                Thread.detachNewThread {
                    continuation.resume(
                        with: Result {
                            try run(
                                "/bin/sh",
                                [
                                    "-c",
                                    "printf 'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' | "
                                        + "timeout 10 openssl s_client -quiet -ign_eof -connect 127.0.0.1:\(server.port)",
                                ])
                        })
                }
            }
            #expect(answer.hasPrefix("HTTP/1.1 200") && answer.contains(#"{"status":"ok"}"#))
            let plain = try await RawClient(port: server.port)
            try await plain.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await !plain.receiveAll().contains("200 OK"))
        }
    }

    @Test func aKeyOfAnotherCertificateIsRefusedAtStart() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        for name in ["a", "b"] {
            _ = try run(
                "/usr/bin/openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                    "\(directory.path)/\(name).key", "-out", "\(directory.path)/\(name).pem", "-days", "1", "-subj",
                    "/CN=localhost",
                ])
        }
        let files = TLSFiles(certificate: directory.path + "/a.pem", key: directory.path + "/b.key")
        let error = #expect(throws: APIServerError.self) {
            try APIServer(
                APIConfiguration(listeners: [.tcp(host: "localhost", port: 0)], authentication: .token, tls: files),
                sessions: FakeSessions(), tokens: FakeTokens(), usage: FakeUsage(), credentials: FakeCredentials(),
                budgets: FakeBudgets(),
                logger: .silent)
        }
        #expect(error?.description.contains("b.key") == true)
    }
}
