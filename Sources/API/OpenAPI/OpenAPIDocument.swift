import Foundation
import SessionCore

/// `GET /openapi.json`: the API in OpenAPI 3.1, kept by hand beside the routes. A test compares it with the table of
/// endpoints, both ways.
enum OpenAPIDocument {
    static let value: JSONValue = {
        do {
            var paths: [String: JSONValue] = [:]
            for part in [
                sessionPaths, pastPaths, commandPaths, accessPaths, accountPaths, sharePaths, servicePaths, usagePaths,
                budgetPaths, egressPaths, secretPaths, sparePaths, echokitPaths, companionPaths, agentAPIPaths,
                claudeRemotePaths,
            ] {
                guard case .object(let members) = try JSONReader.parse(part.utf8) else { continue }
                paths.merge(members) { first, _ in first }
            }
            return [
                "openapi": "3.1.0",
                "info": [
                    "title": "Rookery", "version": "1",
                    "description": "Hosts Claude Code sessions, each in a sandbox of its own.",
                    "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
                ],
                "servers": [["url": "/"]],
                "security": [["bearer": []], ["login": []]],
                "paths": .object(paths),
                "components": try allComponents(),
            ]
        } catch {
            // The parts are constants and a test reads each.
            preconditionFailure("the OpenAPI document is not JSON: \(error)")
        }
    }()

    private static func allComponents() throws -> JSONValue {
        guard case .object(var parts) = try JSONReader.parse(components.utf8),
            case .object(var schemas)? = parts["schemas"]
        else { return [:] }
        for part in [
            sessionSchemas, usageSchemas, budgetSchemas, egressSchemas, accountSchemas, shareSchemas, secretSchemas,
            spareSchemas,
        ] {
            guard case .object(let members) = try JSONReader.parse(part.utf8) else { continue }
            schemas.merge(members) { first, _ in first }
        }
        parts["schemas"] = .object(schemas)
        return .object(parts)
    }

    static let data: Data = (try? JSONEncoder.rookery.encode(value)) ?? Data()
}
