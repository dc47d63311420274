import ArgumentParser
import Foundation
import Images
import SessionCore

extension Image {
    struct Listing: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ls", abstract: "List the images.")
        @OptionGroup var options: ImageOptions
        @Option(help: "How to print answers: table or json.") var output = OutputFormat.table

        func run() throws {
            let store = options.store
            let manifests = try refusing {
                try store.names.map { name throws(ImageError) in try store.manifest(named: name) }
            }
            guard output == .table else { return try printJSON(["items": try document(manifests)]) }
            let sessions = Dictionary(grouping: options.notes.values, by: \.digest).mapValues(\.count)
            let rows = manifests.map { image in
                [
                    image.name, String(image.digest.description.prefix(19)), megabytes(image.size), image.suite ?? "-",
                    age(image.builtAt.formatted(.rookery)), "\(sessions[image.digest] ?? 0)",
                    image.description ?? "-",
                ]
            }
            let host = ["host", "-", "-", "-", "-", "-", "the host's own /usr"]
            print(table(["NAME", "DIGEST", "SIZE", "SUITE", "AGE", "SESSIONS", "WHAT"], [host] + rows))
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one image with its packages, as JSON.")
        @Argument(help: "The image.") var name: String
        @OptionGroup var options: ImageOptions

        func run() throws {
            let manifest = try refusing { try options.store.manifest(named: name) }
            try printJSON(try document(manifest))
        }
    }
}

private func document(_ value: some Encodable) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: try JSONEncoder.rookery.encode(value))
}
