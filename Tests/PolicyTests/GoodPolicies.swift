/// Policies that are fine, for the tests of the parser, the schema and what mutates them.
enum GoodPolicies {
    static let everyKey = """
        version: 1
        name: team
        description: For the team.
        image: dev
        system: overlay
        mounts:
          - {source: /srv/data, target: /data}
          - source: /srv/cache
            target: /workspace/cache
            access: write
        limits:
          memory: 1GiB
          memory_high: 900MiB
          swap: 128MiB
          cpu_percent: 50
          cpu_weight: 200
          processors: all-but-one
          pids: 64
          open_files: 256
          file_size: 1GiB
          temporary: 16MiB
          shared_memory: 8MiB
          disk: 3GiB
          inodes: 100000
          unwritten: 4MiB
          io_weight: 300
        require: [memory, landlock]
        seccomp:
          profile: strict
          allow: [sysinfo]
          refuse: [socketpair]
        capabilities: [net_bind_service]
        devices: [/dev/kvm]
        network: none
        egress:
          mode: none
          allow: [pypi.org, '*.debian.org:80,443', 'GET,HEAD deb.debian.org:80', 'tcp git.example.com:22']
          connections: 8
          bandwidth: 1MiB
          daily: 2GiB
          tenant_connections: 100
          tenant_bandwidth: 10MiB
          tenant_daily: 20GiB
          secrets: []
        environment: {EDITOR: vi, COUNT: 3, FLAG: "yes"}
        permission_mode: acceptEdits
        allowed_tools: [Read, 'Bash(git log:*)']
        denied_tools:
          - WebFetch
        model: claude-opus-4-1[1m]
        channels: true
        idle_timeout: 90s
        reap_warning: 5s
        grace: 2s
        max_lifetime: 8h
        freeze_after: 30s
        wakes: [input]
        log_bytes: 1MiB
        request_bodies: 64KiB
        journal: {bytes: 32MiB, age: 2d}
        permission_allow: [Glob, mcp__tickets, 'Bash(git log:*)', 'Edit(./src/**)', 'WebFetch(domain:docs.rs)']
        permission_timeout: 5m
        bounds:
          permission_modes: [plan]
          models: [opus]
          environment: false
          images: [minimal]
          idle_timeout: 1h
          max_lifetime: 12h
        size: {cols: 120, rows: 40}
        spares: {count: 2, age: 30m, linger: 2h}

        """

    static let all = [
        everyKey,
        "",
        "# nothing\n",
        "limits: {memory: 256MiB}\n",
        "limits: {processors: 3, unwritten: 256KiB}\n",
        "limits: {processors: all, unwritten: none}\n",
        "limits: {memory: 1073741824, swap: 0, disk: none, memory_high: none, file_size: null}\n",
        "idle_timeout: never\nmax_lifetime: ~\nfreeze_after: 1h\npermission_timeout: never\n",
        "idle_timeout: 90\nreap_warning: 0\ngrace: 500ms\n",
        "network: host\ntrusted: true\npermission_mode: bypassPermissions\n",
        "network: proxy\ntrusted: true\n",
        "egress: {mode: open, bandwidth: none, daily: null}\n",
        "egress: {mode: list, allow: [github.com], secrets: [{host: github.com, header: Authorization, secret: git}]}\n",
        "egress: {mode: list, allow: ['[2606:4700::1111]:443', 93.184.216.34, a_b.example:8080]}\n",
        "bounds: {models: any, idle_timeout: any, max_lifetime: null, permission_modes: []}\n",
        "model: null\nwakes: []\nrequire: []\n",
        "environment: {A: '1', B: 1.5, C: \"it's\", D: 'no', E: '~', F: '#x', G: \"two\\nlines\", H: ''}\n",
        "image: dev-2_b\ndevices: [/dev/dri/renderD128]\n",
        "mounts: [{source: /srv/a b, target: '/opt/x: y', access: write}]\n",
        "allowed_tools: [mcp__github__list, 'Read(./src/**)', \"Bash(echo 'a')\"]\n",
        "description: \"Wörter: 'and' # more\"\n",
    ]
}
