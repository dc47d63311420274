import ClaudeCode
import Foundation
import Policy
import Registry
import SessionCore
import Synchronization
import Testing
import WorkerControl

@testable import Supervisor

/// What a policy lets a request change.
struct PolicyBoundsTests {
    private static var bounded: Box.Settings {
        var settings = Box.Settings()
        settings.policy = SessionPolicy(
            name: SessionPolicy.defaultName,
            claude: ClaudeRules(
                permissionMode: .acceptEdits, allowedTools: ["Read"], deniedTools: ["WebFetch"], model: "opus"),
            idle: IdleRules(timeout: .minutes(10), maxLifetime: .hours(4)),
            bounds: RequestBounds(
                permissionModes: [.plan], models: ["haiku"], environment: false, images: ["minimal"],
                idleTimeout: .hours(1), maxLifetime: .hours(8)))
        return settings
    }

    @Test(
        "what is out of bounds is refused in the policy's name",
        arguments: [
            (SessionCreation(permissionMode: "default"), "use acceptEdits, plan"),
            (SessionCreation(permissionMode: "bypassPermissions"), "use acceptEdits, plan"),
            (SessionCreation(model: "sonnet"), "use opus, haiku"),
            (SessionCreation(env: ["A": "b"]), "leave 'env' out"),
            (SessionCreation(idleTimeout: .hours(2)), "1s to 1h"),
            (SessionCreation(maxLifetime: .hours(9)), "1s to 8h"),
        ])
    func refused(creation: SessionCreation, says: String) async throws {
        try await Box.with(Self.bounded) { box in
            let refused = await refusal { try await box.create(creation) }
            let error = try #require(refused)
            #expect(error.code == .invalid)
            #expect(error.detail.contains("policy 'default'") && error.detail.contains(says), "\(error.detail)")
            #expect(box.launcher.state.withLock { $0.launches.isEmpty })
        }
    }

    @Test(
        "the policy's own values and those within its bounds are fine",
        arguments: [
            SessionCreation(), SessionCreation(permissionMode: "acceptEdits"), SessionCreation(permissionMode: "plan"),
            SessionCreation(model: "opus"), SessionCreation(model: "haiku"), SessionCreation(env: [:]),
            SessionCreation(image: "host"),
            SessionCreation(idleTimeout: .hours(1)), SessionCreation(maxLifetime: .hours(8)),
        ])
    func accepted(creation: SessionCreation) async throws {
        try await Box.with(Self.bounded) { box in
            let id = try await box.create(creation)
            let record = try await box.record(id)
            #expect(record.permissionMode == creation.permissionMode ?? "acceptEdits")
            #expect(record.model == creation.model ?? "opus")
            #expect(record.image == creation.image ?? "host")
            let request = try #require(box.launcher.state.withLock { $0.launches.first })
            #expect(request.rules.image == record.image)
        }
    }

    @Test func aChangeIsHeldToTheSameBounds() async throws {
        try await Box.with(Self.bounded) { box in
            let id = try await box.create()
            for patch in [SessionPatch(idleTimeout: .hours(2)), SessionPatch(maxLifetime: .hours(9))] {
                let refused = await refusal { _ = try await box.supervisor.update(id, patch, by: box.alice) }
                #expect(refused?.code == .invalid)
                #expect(refused?.detail.contains("policy 'default'") == true)
            }
            let patch = SessionPatch(idleTimeout: .hours(1), maxLifetime: .hours(8))
            let view = try await box.supervisor.update(id, patch, by: box.alice)
            #expect(view.record.idleTimeout == .hours(1))
        }
    }

    @Test func thePolicysToolsReachTheManagedSettings() async throws {
        try await Box.with(Self.bounded) { box in
            try await box.create()
            let settings = box.launcher.state.withLock { $0.launches.first?.managedSettings } ?? ""
            let document = try JSONDecoder().decode(JSONValue.self, from: Data(settings.utf8))
            #expect(
                document["permissions"] == [
                    "allow": ["Read"], "deny": ["WebFetch"], "disableBypassPermissionsMode": "disable",
                ])
        }
    }

    @Test(
        "a channel is offered where the policy says so, by structured sessions of claude-socket's",
        arguments: [
            (true, SessionCreation(kind: .structured, labels: ["claude-socket": "x"]), true),
            (false, SessionCreation(kind: .structured, labels: ["claude-socket": "x"]), false),
            (true, SessionCreation(kind: .structured), false),
            (true, SessionCreation(kind: .terminal, labels: ["claude-socket": "x"]), false),
        ])
    func channels(isAllowed: Bool, creation: SessionCreation, isOffered: Bool) async throws {
        var settings = Box.Settings()
        settings.policy = SessionPolicy(name: SessionPolicy.defaultName, claude: ClaudeRules(channels: isAllowed))
        try await Box.with(settings) { box in
            try await box.create(creation)
            let request = try #require(box.launcher.state.withLock { $0.launches.first })
            #expect(request.offersChannel == (isOffered ? true : nil))
            #expect(request.managedSettings?.contains("channelsEnabled") == isOffered)
            let arguments = request.arguments ?? []
            #expect(arguments.contains("--dangerously-load-development-channels") == isOffered)
            #expect(arguments.contains("server:claude-socket") == isOffered)
        }
    }

    @Test func whereBypassingIsAllowedItIsNotDisabled() {
        let policies = [
            SessionPolicy(name: "a", claude: ClaudeRules(permissionMode: .bypassPermissions)),
            SessionPolicy(name: "b", bounds: RequestBounds(permissionModes: [.bypassPermissions])),
        ]
        #expect(policies.allSatisfy { SessionSupervisor.permissions(of: $0).bypass })
        #expect(!SessionSupervisor.permissions(of: .builtIn).bypass)
    }

    @Test(
        "a parked session wakes by what its policy names, and by resume",
        arguments: [[], [.input], [.attach], [.input, .attach]] as [Set<WakeReason>])
    func wakes(reasons: Set<WakeReason>) async throws {
        var settings = Box.Settings()
        settings.policy = SessionPolicy(name: SessionPolicy.defaultName, idle: IdleRules(wakes: reasons))
        try await Box.with(settings) { box in
            let id = try await box.create()
            for reason in WakeReason.allCases {
                _ = try await box.supervisor.park(id, by: box.alice)
                let wakes = reasons.contains(reason)
                let wake = {
                    switch reason {
                    case .input:
                        _ = try await box.supervisor.input(id, text: "x", clientID: nil, submit: true, by: box.alice)
                    case .attach: _ = try await box.supervisor.clientSocket(id, wake: true, by: box.alice)
                    }
                }
                if wakes {
                    try await wake()
                } else {
                    let refused = await refusal { try await wake() }
                    #expect(refused?.code == .wrongState)
                    #expect(refused?.detail.contains("\(reason.rawValue) does not wake it") == true)
                }
                let lifecycle = try await box.record(id).lifecycle
                #expect(lifecycle == (wakes ? .running : .parked))
                _ = try await box.supervisor.resume(id, by: box.alice)
            }
        }
    }
}
