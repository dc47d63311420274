import Foundation
import Testing

@testable import rookery

@Suite struct SessionReferenceTests {
    private static let list = [
        SessionReference.Candidate(id: "aaaa1111-0000-4000-8000-000000000001", name: "work"),
        .init(id: "aaaa2222-0000-4000-8000-000000000002", name: "play"),
        .init(id: "bbbb3333-0000-4000-8000-000000000003", name: nil),
        .init(id: "cccc4444-0000-4000-8000-000000000004", name: "aaaa2"),
        .init(id: "dddd5555-0000-4000-8000-000000000005", name: "twin"),
        .init(id: "eeee6666-0000-4000-8000-000000000006", name: "twin"),
    ]

    @Test(arguments: [
        ("work", "aaaa1111"), ("bbbb", "bbbb3333"), ("BBBB", "bbbb3333"), ("aaaa1", "aaaa1111"),
        ("aaaa2", "cccc4444"), ("aaaa22", "aaaa2222"), ("aaaa1111-0000-4000-8000-000000000001", "aaaa1111"),
    ])
    func `a reference means`(text: String, start: String) throws {
        #expect(try SessionReference.resolve(text, among: Self.list).hasPrefix(start))
    }

    @Test(arguments: ["aaaa", "twin"])
    func `an ambiguous reference lists what it could mean`(text: String) {
        let failure = #expect(throws: Failure.self) { try SessionReference.resolve(text, among: Self.list) }
        #expect(failure?.description.contains("2 sessions") == true)
        #expect(failure?.status == 1)
    }

    @Test(arguments: ["", "b", "bb", "nothing", "zzzz"])
    func `a reference to nothing is refused`(text: String) {
        #expect(throws: Failure.self) { try SessionReference.resolve(text, among: Self.list) }
    }
}
