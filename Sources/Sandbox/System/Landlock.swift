import CLinux
public import Policy

/// What this kernel offers of Landlock.
public enum Landlock {
    /// The version of its interface; 0: this kernel has none, or it is switched off.
    public static let version = Int(max(rk_landlock_abi(), 0))

    /// For the list of what holds.
    public static var enforced: EnforcedLimit {
        version > 0
            ? EnforcedLimit(name: name, asked: "on", enforced: "version \(version)", by: "kernel")
            : EnforcedLimit(
                name: name, asked: "on", enforced: nil, by: "none",
                note: "this kernel has no Landlock, or `lsm=` on its command line leaves it out")
    }

    /// As `required` in a policy names it.
    public static let name = "landlock"
}
