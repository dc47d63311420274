import ArgumentParser

/// The flags of `rookery serve`. Everything is optional here: a flag that is not given leaves the word to the
/// environment, then to the configuration file, then to the default (``ServeConfiguration``).
struct ServeOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "Address to listen on: HOST:PORT or unix:/path. Repeatable.")
    var bind: [String] = []

    @Option(help: "Another address, where every path is claude-socket's (127.0.0.1:3100, say). Repeatable.")
    var claudeSocketBind: [String] = []

    @Option(help: "Another address, where /ws and /api/sessions are claude-remote's alone. Repeatable.")
    var claudeRemoteBind: [String] = []

    @Option(help: "Another address, where /api/sessions is Companion's alone (127.0.0.1:3456, say). Repeatable.")
    var companionBind: [String] = []

    @Option(name: [.customShort("c"), .long], help: "Program started in every session instead of run_cc.sh.")
    var claudeCommand: String?

    @Option(help: "The Claude Code binary that sessions see as 'claude'.")
    var claudeBinary: String?

    @Option(help: "Seconds after which an idle session is parked, instead of the policy's value.")
    var idleSec: String?

    @Option(help: "Registry, sessions and workspaces.")
    var stateDir: String?

    @Option(help: "Sockets.")
    var runtimeDir: String?

    @Option(help: "token, or none while every listener is loopback or a Unix socket.")
    var auth: String?

    @Option(
        name: .customLong("allowed-host"),
        help: "A DNS name that this server goes by, behind a proxy for example. Repeatable.")
    var allowedHosts: [String] = []

    @Option(
        name: .customLong("allowed-origin"),
        help: "An origin (https://host[:port]) whose pages may use this server. Repeatable.")
    var allowedOrigins: [String] = []

    @Option(help: "The admin's token: read if there, else made, mode 0600.")
    var adminTokenFile: String?

    @Option(help: "Directory of policies, one YAML file each.")
    var policies: String?

    @Option(help: "Directory of built images; 'images' in the state directory without.")
    var images: String?

    @Option(help: "Directory of the page.")
    var web: String?

    @Option(help: "Directory of the page's vendored assets.")
    var webVendor: String?

    @Option(help: "Where model requests go.")
    var modelUpstream: String?

    @Option(help: "File with the model API's key. It never enters a sandbox.")
    var modelKeyFile: String?

    @Option(help: "File with the key that seals credentials: read if there, else made, mode 0600.")
    var credentialKeyFile: String?

    @Option(help: "Messages that are asked of the model API at once, over all tenants.")
    var modelConcurrency: String?

    @Option(help: "The same of one tenant.")
    var modelTenantConcurrency: String?

    @Option(help: "Messages that one tenant may begin in a minute.")
    var modelTenantRate: String?

    @Option(help: "What models cost, in JSON.")
    var prices: String?

    @Option(help: "Directory of secrets that policies add to requests of tools, a file each, mode 0600.")
    var toolSecrets: String?

    @Option(help: "OpenAI-compatible server that turns speech into text (https://host/v1/audio/transcriptions).")
    var transcriptionUrl: String?

    @Option(help: "File with that server's key.")
    var transcriptionKeyFile: String?

    @Option(help: "Most sessions that run at once.")
    var maxSessions: String?

    @Option(help: "Most memory that running sessions may reserve together, such as 16GiB.")
    var maxMemory: String?

    @Option(help: "Certificate chain in PEM; with --tls-key the TCP listeners speak TLS.")
    var tlsCert: String?

    @Option(help: "The certificate's private key in PEM.")
    var tlsKey: String?

    @Option(help: "The user that the supervisor and the workers become when started as root.")
    var serviceUser: String?

    @Option(help: "Directory of rookery-launcher, rookery-worker and rookery-init.")
    var libexecDir: String?

    @Option(help: "Configuration file in YAML, keys as the flags' names.")
    var config: String?

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel: String?

    @Option(help: "text or json.")
    var logFormat: String?

    @Flag(help: "Use user namespaces alone, also as root.")
    var rootless = false

    @Flag(help: "End all sessions when the supervisor ends.")
    var stopSessions = false

    @Flag(
        help: ArgumentHelp(
            "Keep a process in front that holds the listening sockets, so that 'rookery upgrade' can put a newer "
                + "supervisor in place."))
    var steward = false

    @Flag(help: "Only look whether a supervisor could run so, beside one that does, and end.")
    var check = false

    @Flag(help: "Leave supervisor and workers as they are started, without filters of their own: for finding faults.")
    var noConfinement = false
}
