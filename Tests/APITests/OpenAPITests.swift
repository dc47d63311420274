import Hummingbird
import SessionCore
import Testing

@testable import API

@Suite struct OpenAPITests {
    private var document: JSONValue { OpenAPIDocument.value }

    private var operations: Set<String> {
        var found: Set<String> = []
        guard case .object(let paths)? = document["paths"] else { return found }
        for (path, item) in paths {
            guard case .object(let members) = item else { continue }
            for method in members.keys where method != "parameters" { found.insert("\(method.uppercased()) \(path)") }
        }
        return found
    }

    private func routes() throws -> APIRoutes {
        let sessions = FakeSessions()
        let authenticator = Authenticator(
            mode: .token, tokens: FakeTokens(),
            origins: OriginPolicy(listeners: [], allowedHosts: [], allowedOrigins: []))
        return APIRoutes(
            sessions: sessions, tokens: FakeTokens(), usage: FakeUsage(), credentials: FakeCredentials(),
            budgets: FakeBudgets(),
            authenticator: authenticator,
            dialects: DialectHubs(
                sessions: sessions, authenticator: authenticator, remote: nil, streams: RemoteStreams(sessions)),
            site: StaticSite(),
            secure: false)
    }

    @Test func describesEveryRouteAndNoOther() throws {
        let registered =
            try routes().endpoints.map { "\($0.method.rawValue) \($0.path)" } + APIRoutes.upgrades.map { "GET \($0)" }
        #expect(operations.subtracting(registered).isEmpty, "described, but not served")
        #expect(Set(registered).subtracting(operations).isEmpty, "served, but not described")
        #expect(Set(registered).count == registered.count)
    }

    @Test func everyReferenceLeadsSomewhere() throws {
        var references: [String] = []
        func collect(_ value: JSONValue) {
            switch value {
            case .object(let members):
                if let reference = members["$ref"]?.string { references.append(reference) }
                members.values.forEach(collect)
            case .array(let elements): elements.forEach(collect)
            default: break
            }
        }
        collect(document)
        #expect(references.count > 50)
        for reference in references {
            let found = reference.split(separator: "/").dropFirst().reduce(Optional(document)) { $0?[String($1)] }
            #expect(found != nil, "\(reference) leads nowhere")
        }
    }

    @Test func operationsHaveNamesOfTheirOwnAndRefuse() throws {
        var names: Set<String> = []
        guard case .object(let paths)? = document["paths"] else { return }
        for (path, item) in paths {
            guard case .object(let members) = item else { continue }
            for (method, operation) in members where method != "parameters" {
                let name = try #require(operation["operationId"]?.string, "\(method) \(path)")
                #expect(names.insert(name).inserted)
                #expect(operation["responses"]?["default"] != nil)
            }
            // Every variable of the path is described.
            let variables = path.split(separator: "/").filter { $0.hasPrefix("{") }.count
            #expect((members["parameters"]?.array?.count ?? 0) == variables)
        }
    }

    @Test func theSessionSchemaHasEveryKeyOfASession() async throws {
        let sessions = FakeSessions()
        let id = await sessions.add()
        let view = try await sessions.session(id, as: ServerFixture.admin)
        let response = try Response.json(SessionDocument(view))
        guard case .object(let properties)? = document["components"]?["schemas"]?["Session"]?["properties"] else {
            return
        }
        let writer = CollectingWriter()
        try await response.body.write(writer)
        guard case .object(let members) = try JSONReader.parse(writer.text.utf8) else { return }
        #expect(Set(members.keys) == Set(properties.keys))
    }
}
