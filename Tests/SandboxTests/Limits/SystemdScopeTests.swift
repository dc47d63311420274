import Foundation
import Testing

@testable import Sandbox

struct SystemdScopeTests {
    /// As org.freedesktop.systemd1(5) has StartTransientUnit: a name, a mode, an array of properties, an empty array.
    @Test("systemd is asked for a delegated scope of these processes")
    func arguments() throws {
        let arguments = SystemdScope(processes: [41, 40]).making
        let signature = try #require(arguments.firstIndex(of: "ssa(sv)a(sa(sv))"))
        #expect(arguments[signature...].dropFirst().prefix(2) == ["rookery-41.scope", "fail"])
        var rest = arguments[(signature + 3)...]
        var properties: [String: [String]] = [:]
        let count = try #require(Int(rest.removeFirst()))
        for _ in 0..<count {
            let name = rest.removeFirst()
            let isArray = rest.removeFirst().hasPrefix("a")
            let values = isArray ? try #require(Int(rest.removeFirst())) : 1
            properties[name] = Array(rest.prefix(values))
            rest.removeFirst(values)
        }
        #expect(rest == ["0"])
        #expect(properties["PIDs"] == ["41", "40"])
        #expect(properties["Delegate"] == ["true"])
        #expect(properties["Slice"] == ["rookery.slice"])
    }

    @Test("a launcher joins the scope in which its predecessor's sessions are")
    func joining() throws {
        let scope = SystemdScope(processes: [41, 40])
        #expect(
            scope.joining("rookery-7.scope")
                == ["AttachProcessesToUnit", "ssau", "rookery-7.scope", "/rookery-supervisor", "2", "41", "40"])

        let root = "/tmp/rk-scopes-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: root) }
        let slice = geteuid() == 0 ? root : "\(root)/user.slice/user-\(geteuid()).slice/user@\(geteuid()).service"
        for path in ["rookery-7.scope/rookery-aa", "rookery-8.scope/rookery-bb", "other.scope/rookery-cc"] {
            try FileManager.default.createDirectory(
                atPath: "\(slice)/rookery.slice/\(path)", withIntermediateDirectories: true)
        }
        #expect(scope.scope(holding: "rookery-bb", below: root) == "rookery-8.scope")
        #expect(scope.scope(holding: "rookery-cc", below: root) == nil)
        #expect(scope.scope(holding: "rookery-aa", below: "/nonexistent") == nil)
    }
}
