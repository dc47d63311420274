import Foundation
import Registry
import Testing

/// Devices, and what they show.
@Suite struct RemoteTests {
    private func device(_ registry: SessionRegistry, _ owner: Principal, _ byte: UInt8) async throws -> DeviceRecord {
        try await registry.createDevice(name: "d\(byte)", secret: Data(repeating: byte, count: 32), for: owner)
    }

    @Test func nobodySeesOrChangesAnothersDevices() async throws {
        try await withRegistry { registry in
            let ann = try await registry.person("ann")
            let device = try await device(registry, ann, 1)
            let session = try await registry.startRemoteSession(device: device.id, directory: "/w", command: "claude")
            let prompt = try await registry.addPrompt(
                session: session.id, text: "ok?", approve: "1\r", reject: "\u{1B}")
            for (stranger, sees) in [
                (try await registry.person("bob"), false), (try await registry.person("eve", in: "other"), false),
                (try await registry.person("eva", in: "other", role: .admin), false),
                (try await registry.person("ada", role: .admin), true),
                (try await registry.person("abe", role: .approver), true),
            ] {
                #expect(try await registry.devices(visibleTo: stranger).isEmpty != sees)
                #expect(try await registry.remoteSessions(visibleTo: stranger).isEmpty != sees)
                #expect((try await registry.remoteSession(session.id, visibleTo: stranger) != nil) == sees)
                #expect((try await registry.prompt(prompt.id, visibleTo: stranger) != nil) == sees)
                if stranger.role != .admin || !sees {
                    #expect(try await !registry.deleteDevice(device.id, visibleTo: stranger))
                }
            }
            #expect(try await registry.deleteDevice(device.id, visibleTo: ann))
            #expect(try await registry.remoteSessions(visibleTo: ann).isEmpty, "what it showed is gone with it")
        }
    }

    @Test func theFirstAnswerWins() async throws {
        try await withRegistry { registry in
            let ann = try await registry.person("ann")
            let device = try await device(registry, ann, 1)
            let session = try await registry.startRemoteSession(device: device.id, directory: "", command: "")
            let one = try await registry.addPrompt(session: session.id, text: "1?", approve: "y", reject: "n")
            let two = try await registry.addPrompt(session: session.id, text: "2?", approve: "y", reject: "n")
            #expect(try await registry.answerPrompt(one.id, "approve", by: "ann")?.isFirst == true)
            let second = try await registry.answerPrompt(one.id, "reject", by: "bob")
            #expect(second?.isFirst == false)
            #expect(second?.record.response == "approve")
            #expect(second?.record.respondedBy == "ann")
            #expect(try await registry.answerPrompt(99, "approve", by: "ann") == nil)
            #expect(try await registry.closePrompts(session: session.id).map(\.id) == [two.id])
            #expect(try await registry.remoteSessions(visibleTo: ann).first?.openPrompts == 0)
        }
    }

    @Test func onlyItsOwnDeviceComesBackToASessionAndOnlyWhileItIsOpen() async throws {
        try await withRegistry { registry in
            let ann = try await registry.person("ann")
            let (one, two) = (try await device(registry, ann, 1), try await device(registry, ann, 2))
            let session = try await registry.startRemoteSession(device: one.id, directory: "", command: "")
            #expect(try await registry.openRemoteSession(session.id, device: one.id)?.id == session.id)
            #expect(try await registry.openRemoteSession(session.id, device: two.id) == nil)
            #expect(try await registry.unendedRemoteSessions().map(\.id) == [session.id])
            #expect(try await registry.endRemoteSession(session.id, exitCode: 3)?.exitCode == 3)
            #expect(try await registry.endRemoteSession(session.id, exitCode: 4) == nil)
            #expect(try await registry.openRemoteSession(session.id, device: one.id) == nil)
        }
    }

    @Test func theOutputIsARing() async throws {
        try await withRegistry { registry in
            let ann = try await registry.person("ann")
            let device = try await device(registry, ann, 1)
            let session = try await registry.startRemoteSession(device: device.id, directory: "", command: "")
            let other = try await registry.startRemoteSession(device: device.id, directory: "", command: "")
            try await registry.appendOutput(other.id, ["other"])
            for start in stride(from: 0, to: 12_000, by: 3000) {
                try await registry.appendOutput(session.id, (start..<start + 3000).map(String.init))
            }
            let lines = try await registry.output(of: session.id, limit: 20_000)
            #expect(lines.count == SessionRegistry.mostOutputLines)
            #expect(lines.first == "2000")
            #expect(lines.last == "11999")
            #expect(try await registry.output(of: other.id, limit: 9) == ["other"])
        }
    }
}
