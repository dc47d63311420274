/// Which devices of the host a policy may give.
public enum DeviceRules {
    /// In one policy.
    public static let most = 32

    /// Memory, disks, terminals, input and kernel interfaces: each a way out of the sandbox or into another. A `*` at
    /// the end stands for any rest, also for what lies below.
    static let never = [
        "autofs", "btrfs-control", "bus*", "console", "core", "cpu*", "cuse", "disk*", "dm-*", "fd", "fd*", "fuse",
        "hd*",
        "hpet", "hugepages*", "hwrng", "input*", "ipmi*", "kmem", "kmsg", "log", "loop*", "mapper*", "mcelog", "md*",
        "mei*", "mem", "mqueue*", "mtd*", "nbd*", "net*", "nvme*", "nvram", "port", "ppp", "ptmx", "pts*", "ram*",
        "raw*", "rbd*", "rfkill", "rtc*", "sd*", "sg*", "shm*", "snapshot", "snd*", "sr*", "st*", "tpm*", "tty*",
        "uhid", "uinput", "usb*", "userfaultfd", "vcs*", "vd*", "vfio*", "vga_arbiter", "vhost*", "video*",
        "watchdog*", "xvd*", "zram*",
    ]

    static func problem(of path: String) -> RuleProblem? {
        if let problem = PathRules.problem(of: path) { return problem }
        guard path.hasPrefix("/dev/") else {
            return RuleProblem("is not below /dev", "name a device, such as /dev/kvm")
        }
        let name = path.dropFirst("/dev/".count)
        guard !name.contains(where: { "*?[".contains($0) }) else {
            return RuleProblem("is a pattern", "name each device")
        }
        let isForbidden = never.contains { $0.hasSuffix("*") ? name.hasPrefix($0.dropLast()) : name == $0 }
        guard !isForbidden else {
            return RuleProblem("leads out of the sandbox", "remove it: no session may have this device")
        }
        return nil
    }
}
