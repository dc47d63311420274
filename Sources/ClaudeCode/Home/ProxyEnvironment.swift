/// Where programs of a sandbox find the way to the world. Each knows other spellings.
public enum ProxyEnvironment {
    public static let variables: [String: String] = [
        "HTTPS_PROXY": SessionEnvironment.listener, "https_proxy": SessionEnvironment.listener,
        "HTTP_PROXY": SessionEnvironment.listener, "http_proxy": SessionEnvironment.listener,
        // The model API is on that listener itself, and so is whatever the session starts.
        "NO_PROXY": own, "no_proxy": own,
    ]

    private static let own = "127.0.0.1,localhost,::1"
}

extension ProxyEnvironment {
    /// Has git go by the secured way to hosts for which the gateway has secrets, whatever URL it is told.
    public static func git(_ hosts: [String]) -> [String: String] {
        guard !hosts.isEmpty else { return [:] }
        var variables = ["GIT_CONFIG_COUNT": "\(hosts.count)"]
        for (index, host) in hosts.enumerated() {
            variables["GIT_CONFIG_KEY_\(index)"] = "url.\(SessionEnvironment.listener)/egress/\(host)/.insteadOf"
            variables["GIT_CONFIG_VALUE_\(index)"] = "https://\(host)/"
        }
        return variables
    }
}
