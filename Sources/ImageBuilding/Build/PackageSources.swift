import Images

/// Where packages come from: the mirrors that this machine's apt is configured with.
struct PackageSources {
    /// One line of sources.list each.
    let lines: [String]
    /// Options for apt, such as its proxy.
    let options: [String]

    /// - Parameters:
    ///   - targets: what `apt-get indextargets` prints with ``format``.
    ///   - configuration: what `apt-config dump` prints.
    ///   - host: this machine's own suite.
    init(suite: String, targets: String, configuration: String, host: String) throws(ImageError) {
        var lines: [String] = []
        var usesSuite = false
        for target in targets.split(separator: "\n") {
            let fields = target.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 4, fields[2] == "main" else { continue }
            // Another suite of the same mirrors has the same names after its own.
            let release =
                fields[1] == suite || fields[1].hasPrefix("\(suite)-")
                ? fields[1]
                : fields[1] == host || fields[1].hasPrefix("\(host)-") ? suite + fields[1].dropFirst(host.count) : nil
            guard let release else { continue }
            usesSuite = usesSuite || release == suite
            let key = fields[3].hasPrefix("/") ? "[signed-by=\(fields[3])] " : ""
            let line = "deb \(key)\(fields[0]) \(release) main"
            if !lines.contains(line) { lines.append(line) }
        }
        guard usesSuite else {
            throw ImageError(
                "apt on this machine has no source for '\(suite)'",
                remedy: "add a Debian mirror of that suite to /etc/apt/sources.list.d, then apt-get update")
        }
        self.lines = lines
        options = configuration.split(separator: "\n").map(String.init).filter { line in
            ["Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::http::Pipeline-Depth", "Acquire::Retries"]
                .contains { line.hasPrefix($0) }
        }.map { $0.hasSuffix(";") ? String($0.dropLast()) : $0 }
    }

    static let format = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(SIGNED_BY)"

    static func ofThisHost(suite: String, tool: Tool) throws(ImageError) -> PackageSources {
        let targets = try tool.run(
            "apt-get", ["indextargets", "--no-release-info", "--format", format, "Created-By: Packages"],
            captures: true)
        let configuration = try tool.run("apt-config", ["dump"], captures: true)
        let release = try? tool.run("sh", ["-c", ". /etc/os-release; echo $VERSION_CODENAME"], captures: true)
        return try PackageSources(
            suite: suite, targets: targets, configuration: configuration,
            host: release.map { String($0.prefix { $0 != "\n" }) } ?? suite)
    }
}
