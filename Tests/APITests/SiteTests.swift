import Foundation
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import API

@Suite struct SiteTests {
    private func application(_ directory: TemporaryDirectory) throws -> some ApplicationProtocol {
        let files = FileManager.default
        let site = directory.path + "/site"
        let vendor = directory.path + "/vendor"
        try files.createDirectory(atPath: site + "/js", withIntermediateDirectories: true)
        try files.createDirectory(atPath: vendor, withIntermediateDirectories: true)
        try Data("<!doctype html>".utf8).write(to: URL(filePath: site + "/index.html"))
        try Data("export {}".utf8).write(to: URL(filePath: site + "/js/app.js"))
        try Data("secret".utf8).write(to: URL(filePath: site + "/.env"))
        try Data("secret".utf8).write(to: URL(filePath: directory.path + "/outside"))
        try Data("x".utf8).write(to: URL(filePath: vendor + "/xterm.css"))
        try files.createSymbolicLink(atPath: site + "/link", withDestinationPath: directory.path + "/outside")
        return try APIServer(
            APIConfiguration(
                listeners: [.tcp(host: "127.0.0.1", port: 0)], authentication: .token, site: site, vendor: vendor),
            sessions: FakeSessions(), tokens: FakeTokens(), usage: FakeUsage(), credentials: FakeCredentials(),
            budgets: FakeBudgets(),
            logger: .silent
        ).application
    }

    @Test func servesThePageAndItsFilesFromMemory() async throws {
        let directory = try TemporaryDirectory()
        let application = try application(directory)
        directory.remove()
        try await application.test(.router) { client in
            let page = try await client.executeRequest(
                uri: "/?id=x", method: .get, headers: [.accept: "text/html,*/*"], body: nil)
            #expect(page.status == .ok)
            #expect(page.headers[.contentType] == "text/html; charset=utf-8")
            #expect(page.headers[.contentSecurityPolicy]?.contains("script-src 'self';") == true)
            let script = try await client.executeRequest(uri: "/js/app.js", method: .get, headers: [:], body: nil)
            #expect(script.headers[.contentType] == "text/javascript; charset=utf-8")
            #expect(String(buffer: script.body) == "export {}")
            let tag = try #require(script.headers[.eTag])
            let again = try await client.executeRequest(
                uri: "/js/app.js", method: .get, headers: [.ifNoneMatch: tag], body: nil)
            #expect(again.status == .notModified && again.body.readableBytes == 0)
            let style = try await client.executeRequest(uri: "/vendor/xterm.css", method: .get, headers: [:], body: nil)
            #expect(style.headers[.contentType] == "text/css; charset=utf-8")
            #expect(style.headers[.cacheControl]?.contains("max-age") == true)
            let head = try await client.executeRequest(uri: "/js/app.js", method: .head, headers: [:], body: nil)
            #expect(head.status == .ok && head.body.readableBytes == 0)
        }
    }

    @Test(arguments: [
        "/.env", "/link", "/../outside", "/%2e%2e/outside", "/js/../.env", "/js/..%2f.env", "/js", "/nothing",
        "/vendor/../site/.env", "//etc/passwd", "/%00",
    ])
    func nothingElseIsReachable(path: String) async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        try await application(directory).test(.router) { client in
            let response = try await client.executeRequest(uri: path, method: .get, headers: [:], body: nil)
            #expect(response.status == .notFound)
            #expect(!String(buffer: response.body).contains("secret"))
        }
    }

    @Test func aDirectoryThatIsNotThereIsAnErrorAtStart() {
        #expect(throws: APIServerError.self) { try StaticSite(directory: "/nonexistent-site", vendor: nil) }
    }
}
