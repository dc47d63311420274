import Testing

@testable import Sandbox

struct SystemdScopeTests {
    /// As org.freedesktop.systemd1(5) has StartTransientUnit: a name, a mode, an array of properties, an empty array.
    @Test("systemd is asked for a delegated scope of these processes")
    func arguments() throws {
        let arguments = SystemdScope(processes: [41, 40]).arguments
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
}
