import Policy

extension SandboxSpecification {
    /// With another address of the listener wherever the environment and the managed settings name it.
    func listening(at address: String) -> SandboxSpecification {
        guard address != SandboxLayout.listenerAddress else { return self }
        let (old, new) = (
            "\(SandboxLayout.listenerAddress):\(SandboxLayout.listenerPort)", "\(address):\(SandboxLayout.listenerPort)"
        )
        var specification = self
        specification.environment = environment.mapValues { $0.replacing(old, with: new) }
        specification.managedSettings = managedSettings?.replacing(old, with: new)
        return specification
    }
}

extension SandboxLaunch {
    /// On the host's own loopback each sandbox needs an address of its own (127.0.0.0/8 is all loopback).
    static var ownLoopbackAddress: String {
        "127.\(Int.random(in: 64...254)).\(Int.random(in: 0...255)).\(Int.random(in: 1...254))"
    }
}
