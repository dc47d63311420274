import Foundation

/// Whether the kernel lets go of a system call in the middle when somebody else's turn has come. One that does not lets a
/// session that works in the kernel (freeing memory, writing files) keep a processor from its neighbours for milliseconds.
enum PreemptionCheck {
    static func finding() -> Finding {
        finding(
            model(
                version: KernelChecks.contents("/proc/sys/kernel/version") ?? "",
                chosen: KernelChecks.contents("/sys/kernel/debug/sched/preempt"),
                commandLine: KernelChecks.contents("/proc/cmdline") ?? "",
                configuration: KernelChecks.contents(
                    "/boot/config-\(KernelChecks.contents("/proc/sys/kernel/osrelease") ?? "")")))
    }

    private static func finding(_ model: String?) -> Finding {
        let name = "preemption"
        let remedy =
            "boot with preempt=full (or lazy, Linux 6.13) on a kernel with CONFIG_PREEMPT_DYNAMIC, or write processors and "
            + "unwritten into the policies' limits (Docs/operations.md)"
        guard let model else {
            return .warn(name, "this kernel's model cannot be told", "as root mount debugfs, or \(remedy)")
        }
        guard ["full", "lazy", "rt"].contains(model) else {
            return .warn(
                name, "\(model): keys wait some milliseconds behind a session that works in the kernel", remedy)
        }
        return .ok(name, model)
    }

    /// - Parameters:
    ///   - version: `/proc/sys/kernel/version`.
    ///   - chosen: debugfs' `sched/preempt`, which has the present one in brackets.
    ///   - configuration: what the kernel was built with.
    /// - Returns: `none`, `voluntary`, `lazy`, `full` or `rt`; nil: cannot be told.
    static func model(version: String, chosen: String?, commandLine: String, configuration: String?) -> String? {
        if let chosen, let start = chosen.firstIndex(of: "("), let end = chosen[start...].firstIndex(of: ")") {
            return String(chosen[chosen.index(after: start)..<end])
        }
        let words = version.split(separator: " ")
        if words.contains("PREEMPT_RT") { return "rt" }
        guard words.contains("PREEMPT_DYNAMIC") else { return words.contains("PREEMPT") ? "full" : "none or voluntary" }
        let known = ["none", "voluntary", "lazy", "full"]
        let asked = commandLine.split(separator: " ").last { $0.hasPrefix("preempt=") }?.dropFirst(8)
        if let asked, known.contains(String(asked)) { return String(asked) }
        let built = [
            ("none", "CONFIG_PREEMPT_NONE=y"), ("voluntary", "CONFIG_PREEMPT_VOLUNTARY=y"),
            ("lazy", "CONFIG_PREEMPT_LAZY=y"), ("full", "CONFIG_PREEMPT=y"),
        ]
        return built.first { configuration?.split(separator: "\n").contains(Substring($0.1)) ?? false }?.0
    }
}
