import Foundation
import Images
import Policy
import Registry
import SessionCore
import Synchronization
import Testing
import WorkerControl

@testable import Supervisor

/// Which image a session gets.
@Suite struct ImageTests {
    /// A store with these images; their blobs do not matter to the supervisor.
    static func store(_ names: [String], in box: Box) throws -> ImageStore {
        let store = ImageStore(directory: "\(box.path)/images")
        try store.prepare()
        for name in names {
            let blob = "\(store.directory)/.new"
            try Data(name.utf8).write(to: URL(filePath: blob))
            _ = try store.add(blob: blob) { digest, size in
                ImageManifest(name: name, digest: digest, size: size, suite: "bookworm", builtAt: Date())
            }
        }
        return store
    }

    static func policy(image: String, others: [String] = []) -> SessionPolicy {
        SessionPolicy(
            name: "default", sandbox: SandboxRules(image: image), idle: IdleRules(timeout: nil),
            bounds: RequestBounds(images: others))
    }

    static let cases: [(SessionPolicy, asked: String?, given: String?, words: String)] = [
        (policy(image: "host"), nil, "host", ""),
        (policy(image: "tools"), nil, "tools", ""),
        (policy(image: "tools"), "tools", "tools", ""),
        (policy(image: "host", others: ["tools"]), "tools", "tools", ""),
        (policy(image: "tools", others: ["host"]), "host", "host", ""),
        (policy(image: "host"), "tools", nil, "does not allow the image 'tools': use host"),
        (policy(image: "tools", others: ["dev"]), "host", nil, "use tools, dev"),
        (policy(image: "host", others: ["gone"]), "gone", nil, "there are host, dev, tools"),
        (policy(image: "gone"), nil, nil, "there is no image 'gone'"),
        (policy(image: "host"), "../tools", nil, "there are host, dev, tools"),
    ]

    @Test(arguments: cases.indices) func isThePolicysOrWhatItAllows(index: Int) async throws {
        let (policy, asked, given, words) = Self.cases[index]
        try await Box.with(Box.Settings(policy: policy)) { box in
            await box.supervisor.use(try Self.store(["tools", "dev"], in: box))
            guard let given else {
                let refusal = await refusal { try await box.create(SessionCreation(image: asked)) }
                #expect(
                    refusal?.code == .invalid && refusal?.detail.contains(words) == true, "\(refusal?.detail ?? "")")
                #expect(box.launcher.state.withLock { $0.launches.isEmpty })
                return
            }
            let view = try await box.supervisor.create(
                SessionCreation(image: asked), idempotencyKey: nil, by: box.alice)
            #expect(view.record.image == given)
            #expect(box.launcher.state.withLock { $0.launches.first?.rules.image } == given)
        }
    }

    @Test func allOfThemAreListed() async throws {
        try await Box.with { box in
            #expect(await box.supervisor.images(as: box.alice).map(\.name) == ["host"])
            await box.supervisor.use(try Self.store(["tools", "dev"], in: box))
            let images = await box.supervisor.images(as: box.alice)
            #expect(images.map(\.name) == ["host", "dev", "tools"])
            #expect(images.map { $0.manifest?.suite } == [nil, "bookworm", "bookworm"])
        }
    }
}

extension SessionSupervisor {
    func use(_ images: ImageStore) { configuration.images = images }
}
