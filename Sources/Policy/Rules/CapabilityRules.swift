/// Capabilities that a session may keep. Each counts in its own user namespace alone, where it owns but its own files
/// and processes.
public enum CapabilityRules {
    public static let allowed: Set<String> = [
        "chown", "dac_override", "fowner", "kill", "net_bind_service", "setgid", "setuid",
    ]
}

/// What a policy can require to hold, so that a session does not start without it.
public enum RequirementRules {
    /// Requirements that are no limits.
    public static let parts: Set<String> = ["landlock"]
    public static let known: Set<String> = parts.union(ResourceLimits.names)
}
