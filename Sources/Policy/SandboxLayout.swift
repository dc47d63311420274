/// What is fixed inside every sandbox.
public enum SandboxLayout {
    public static let workspace = "/workspace"
    public static let home = "/home/agent"
    public static let startCommand = "/run/rookery/start"
    public static let claude = "/usr/local/bin/claude"
    /// The sandbox's only way out: model API and hooks.
    public static let listenerAddress = "127.0.0.1"
    public static let listenerPort = 3128
    /// The session's user as seen inside.
    public static let uid: UInt32 = 1000
    public static let gid: UInt32 = 1000

    /// The files of /etc that are made for every sandbox. A built image has an empty file at each of them.
    public static let generatedFiles = [
        "/etc/group", "/etc/host.conf", "/etc/hostname", "/etc/hosts", "/etc/machine-id", "/etc/nsswitch.conf",
        "/etc/passwd", "/etc/resolv.conf", "/etc/shells",
    ]
    /// Holds the settings that a session cannot change. A built image has it as an empty directory.
    public static let settingsDirectory = "/etc/claude-code"
}
