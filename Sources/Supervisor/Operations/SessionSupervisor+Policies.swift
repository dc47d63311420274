public import Policy

extension SessionSupervisor {
    /// Takes over policies that were read again. What a session is already fixed to (its limits) stays until its next
    /// launch.
    public func use(_ policies: PolicyStore) {
        configuration.policies = policies
        pool.forgive()
        Task { await tendSpares() }
    }

    /// The policies that a session can be made under.
    public func policies() -> PolicyStore { configuration.policies }
}
