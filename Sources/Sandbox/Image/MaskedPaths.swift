/// What /proc would tell about the host and its other sessions, or let a program with a kernel bug reach: covered by
/// nothing. Paths that this kernel lacks are skipped.
enum MaskedPaths {
    static let all = [
        "acpi", "asound", "buddyinfo", "bus", "cgroups", "cmdline", "config.gz", "consoles", "crypto", "devices",
        "diskstats",
        "driver", "dynamic_debug", "fs", "interrupts", "iomem", "ioports", "irq", "kallsyms", "kcore", "key-users",
        "keys", "kmsg", "kpagecgroup", "kpagecount", "kpageflags", "latency_stats", "locks", "mdstat", "misc",
        "modules", "mtrr", "pagetypeinfo", "partitions", "pressure", "sched_debug", "schedstat", "scsi", "slabinfo",
        "softirqs", "swaps", "sysrq-trigger", "sys/dev", "sys/fs", "sys/kernel/core_pattern", "sys/kernel/keys",
        "timer_list", "timer_stats", "vmallocinfo", "vmstat", "zoneinfo",
    ].map { "/proc/" + $0 }

    /// Which of them are directories, where the kernel has them.
    static let directories = Set(
        [
            "acpi", "asound", "bus", "driver", "dynamic_debug", "fs", "irq", "pressure", "scsi", "sys/dev", "sys/fs",
            "sys/kernel/keys",
        ].map { "/proc/" + $0 })
}
