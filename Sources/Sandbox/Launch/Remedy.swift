import Glibc

/// What an operator can do about a failed step.
enum Remedy {
    /// For a step inside the sandbox, as rookery-init named it.
    static func step(_ step: String, errno: Int32, rootless: Bool) -> String {
        let refused = errno == EPERM || errno == EACCES
        let subject = step.split(separator: " ", maxSplits: 1).dropFirst().first.map(String.init) ?? ""
        switch step.split(separator: " ").first.map(String.init) ?? step {
        case "exec":
            return exec(errno: errno, path: subject)
        case "pin":
            if errno == ESTALE { return "\(subject) was replaced meanwhile; try again" }
            if errno == ELOOP { return "\(subject) must not contain symbolic links" }
            if refused { return "let the user that runs rookery read \(subject)" }
        case "proc" where refused:
            return "this system covers parts of /proc (a container does so): give the container an uncovered /proc, "
                + "such as --security-opt systempaths=unconfined"
        case "device":
            return "the host's /dev must have \(subject)"
        case "mount" where errno == ENOENT || errno == EROFS:
            return "the place \(subject) is missing: on the host, create it; in a built image, build that again"
        case "mount" where errno == ELOOP:
            return "the session put a link on the way to \(subject): empty its overlay"
        case "overlay":
            return "overlays of a sandbox need Linux 5.19, and a state directory on a file system with extended "
                + "attributes: write 'system: read-only' in the policy"
        case "work-directory" where refused:
            return "the workspace must belong to the session's user"
        case "seccomp",
            "init" where errno == EINVAL:
            return "this kernel lacks CONFIG_SECCOMP_FILTER"
        case "fork" where errno == EAGAIN:
            return "raise the session's limit of processes"
        case "network" where refused:
            return userNamespaces(rootless: rootless)
        default: break
        }
        if errno == ENOMEM || errno == ENOSPC {
            return "the session's memory limit or the kernel's mount limit is too low"
        }
        return refused ? userNamespaces(rootless: rootless) : ""
    }

    private static func exec(errno: Int32, path: String) -> String {
        switch errno {
        case ENOENT: "\(path) or the interpreter in its first line does not exist inside the sandbox"
        case EACCES: "make the start command executable for everybody (chmod a+rx)"
        case ENOEXEC: "the start command must be a program or begin with a line such as #!/bin/bash"
        default: "check that \(path) runs on this machine at all"
        }
    }

    /// For clone3.
    static func clone(errno: Int32, rootless: Bool) -> String {
        switch errno {
        case ENOSPC, EUSERS:
            return "no more user namespaces: raise /proc/sys/user/max_user_namespaces "
                + "(now \(HostPath.line(of: "/proc/sys/user/max_user_namespaces") ?? "unknown")) and max_*_namespaces"
        case EAGAIN, ENOMEM: return "no more processes or memory: raise the service's limits (TasksMax, pids.max)"
        case ENOSYS:
            return "clone3 is refused or missing: Linux 5.7 or later, and in a container a seccomp profile "
                + "that lets it pass (such as --security-opt seccomp=unconfined)"
        case EINVAL: return "this kernel lacks a kind of namespace, or the cgroup is not of version 2"
        case EBUSY: return "the cgroup has controllers of its own for children: it must be a leaf"
        default: return userNamespaces(rootless: rootless)
        }
    }

    /// Names what forbids user namespaces here.
    static func userNamespaces(rootless: Bool) -> String {
        if HostPath.line(of: "/proc/sys/user/max_user_namespaces") == "0" {
            return "user namespaces are switched off: sysctl user.max_user_namespaces=15000"
        }
        if rootless, HostPath.line(of: "/proc/sys/kernel/unprivileged_userns_clone") == "0" {
            return "unprivileged user namespaces are switched off: sysctl kernel.unprivileged_userns_clone=1"
        }
        if rootless, HostPath.line(of: "/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1" {
            return "AppArmor restricts user namespaces: install rookery's AppArmor profile (it says `userns,`), or "
                + "sysctl kernel.apparmor_restrict_unprivileged_userns=0"
        }
        return "something around this process forbids namespaces: in a container, run it with "
            + "--security-opt seccomp=unconfined --security-opt apparmor=unconfined, or on the host itself"
    }

    /// For a file or directory of the host that could not be opened.
    static func source(_ path: String, errno: Int32) -> String {
        switch errno {
        case ENOENT: "create \(path), or correct the path in the configuration"
        case ELOOP: "\(path) must not contain symbolic links: give its real path"
        case EACCES: "let the user that runs rookery read \(path) and pass through the directories above it"
        default: ""
        }
    }
}
