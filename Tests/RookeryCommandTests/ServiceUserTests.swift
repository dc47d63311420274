import Foundation
import Glibc
import Testing

@testable import rookery

/// Which directories the service's user is given.
@Suite(.enabled(if: geteuid() == 0)) struct ServiceUserTests {
    static let contents: [(content: [String], given: Bool)] = [
        ([], true), (["images"], true), (["data"], false), (["images", "data"], false),
    ]

    @Test(arguments: contents.indices) func takesOverWhatIsEmptyOrHoldsImagesAlone(index: Int) throws {
        let (content, given) = Self.contents[index]
        let directory = NSTemporaryDirectory() + "rku-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for name in content { mkdir("\(directory)/\(name)", 0o755) }
        let user = try ServiceUser(named: "nobody")
        if given {
            try user.own(directory: directory, mode: 0o711)
        } else {
            #expect(throws: ConfigurationError.self) { try user.own(directory: directory, mode: 0o711) }
        }
        #expect(FileIdentity(directory)?.uid == (given ? user.uid : 0))
        // What is in it stays root's.
        for name in content { #expect(FileIdentity("\(directory)/\(name)")?.uid == 0) }
    }
}
