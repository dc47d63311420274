import Glibc
import Policy
import Sandbox
import WorkerControl

/// What holds in a session that is set up, and whether that is what its policy requires.
struct LaunchLimits {
    let rules: SandboxRules
    /// Every limit, in the order of a policy, and what else a policy can require.
    let report: [EnforcedLimit]

    /// `inside` is the pid of rookery-init.
    init(_ rules: SandboxRules, cgroup: [EnforcedLimit], inside pid: Int32?, disk: [EnforcedLimit]) {
        self.rules = rules
        report =
            LimitReport.ordered(
                cgroup + LimitReport.inside(rules.limits, pid.flatMap(InsideLimits.init(pid:))) + disk)
            + [Landlock.enforced]
    }

    /// The report, if everything that is required holds.
    func met() throws(LaunchFailure) -> [EnforcedLimit] {
        guard let unmet = UnmetRequirement.first(of: rules.required, in: report) else { return report }
        throw LaunchFailure(
            step: "require \(unmet.name)", errno: ENOTSUP,
            message: "the policy requires \(unmet.name), and it does not hold here: \(unmet.reason)",
            remedy: "give this box what it lacks (rookery doctor, Docs/limits.md), or take \(unmet.name) out of the "
                + "policy's list of what is required")
    }
}
