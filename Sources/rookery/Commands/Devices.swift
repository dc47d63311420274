import ArgumentParser
import Foundation
import NIOHTTP1
import SessionCore

struct Devices: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device", abstract: "Devices whose programs this server sees ('rookery wrap').",
        subcommands: [Pair.self, Enrol.self, Show.self, Remove.self])

    struct Pair: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Get a code that enrols one device, once.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "What the device is called.") var name: String

        func run() async throws {
            let answer = try await options.client().send(.POST, "/v1/devices", body: ["name": .string(name)])
            if options.output == .json { return try printJSON(answer) }
            print(printable(answer["code"]?.string ?? ""))
        }
    }

    struct Enrol: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Enrol this device with a code; it keeps its secret in a file of its own.")
        @OptionGroup var options: ClientOptions
        @Option(help: "Where to keep it.") var deviceFile: String?
        @Argument(help: "What 'rookery device pair' printed.") var code: String

        func run() async throws {
            let address = try options.address()
            let answer = try await ServerClient(address: address, token: nil)
                .send(.POST, "/v1/devices/enrol", body: ["code": .string(code)])
            guard let id = answer["id"]?.integer, let name = answer["name"]?.string,
                let secret = answer["secret"]?.string.flatMap({ Data(base64Encoded: $0) }), secret.count == 32
            else { throw Failure.refused("\(address) answered with something that is no device") }
            try DeviceFile(server: address.description, id: id, name: name, secret: secret)
                .write(to: deviceFile ?? DeviceFile.path())
            print("enrolled as '\(printable(name))'")
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List devices.")
        @OptionGroup var options: ClientOptions

        func run() async throws {
            let answer = try await options.client().send(.GET, "/v1/devices")
            guard options.output == .table else { return try printJSON(answer) }
            let rows = (answer["items"]?.array ?? []).map { device in
                [
                    device["id"]?.integer.map { String($0) } ?? "-", device["name"]?.string ?? "-",
                    device["owner"]?.string ?? "-", age(device["created_at"]?.string),
                    age(device["last_seen"]?.string),
                ]
            }
            print(table(["ID", "NAME", "OWNER", "AGE", "SEEN"], rows))
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Remove a device with all that it showed, at once.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "The device's id, as 'device list' shows it.") var id: UInt32

        func run() async throws { try await options.client().send(.DELETE, "/v1/devices/\(id)") }
    }
}
