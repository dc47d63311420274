/// Which directories of the host a policy may show, and where.
public enum MountRules {
    /// In one policy.
    public static let most = 64

    /// Kernel interfaces: nothing of them, whatever it is called.
    static let forbiddenSources = ["/proc", "/sys", "/dev"]
    /// Inside, the launcher alone says what is here and below.
    static let closed = ["/proc", "/dev", "/sys", "/run/rookery", "/etc/claude-code"]
    /// Inside, these may not be hidden: neither they nor what they lie in can be a target. Below them is free.
    static let kept = [
        SandboxLayout.workspace, SandboxLayout.home, SandboxLayout.claude, "/tmp", "/etc/claude-code", "/run/rookery",
    ]
    /// Links or libraries that every program needs.
    static let system = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"]

    static func problem(ofSource path: String) -> RuleProblem? {
        if let problem = PathRules.problem(of: path) { return problem }
        guard path != "/" else { return RuleProblem("is the whole host", "name the directory that is needed") }
        guard !forbiddenSources.contains(where: { PathRules.isIn(path, $0) }) else {
            return RuleProblem(
                "is an interface of the host's kernel", "name another directory; for a device use devices")
        }
        return nil
    }

    static func problem(ofTarget path: String) -> RuleProblem? {
        if let problem = PathRules.problem(of: path) { return problem }
        if let place = closed.first(where: { PathRules.isIn(path, $0) }) {
            return RuleProblem("is in \(place), which the sandbox makes itself", "choose another, such as /data")
        }
        if let place = kept.first(where: { PathRules.isIn($0, path) })
            ?? system.first(where: { PathRules.isIn(path, $0) })
        {
            return RuleProblem("would hide \(place)", "choose another, such as /data or a directory below /workspace")
        }
        return nil
    }
}
