// swift-tools-version: 6.2
import PackageDescription

/// Continuous integration takes a warning in one of our targets as an error.
let warningsAreErrors = Context.environment["CI"] != nil

/// Settings every Swift target shares: Swift 6 mode comes with the tools version.
let strict: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (warningsAreErrors ? [.treatAllWarnings(as: .error)] : [])

let strictC: [CSetting] = [
    .define("_GNU_SOURCE"),
    .unsafeFlags(
        ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wno-sign-conversion", "-fno-builtin"]
            + (warningsAreErrors ? ["-Werror"] : [])),
]

let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioWebSocket: Target.Dependency = .product(name: "NIOWebSocket", package: "swift-nio")
let nioFoundation: Target.Dependency = .product(name: "NIOFoundationCompat", package: "swift-nio")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let asyncHTTP: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
    name: "rookery",
    products: [
        .executable(name: "rookery", targets: ["rookery"]),
        .executable(name: "rookery-worker", targets: ["rookery-worker"]),
        .executable(name: "rookery-launcher", targets: ["rookery-launcher"]),
        .executable(name: "rookery-init", targets: ["rookery-init"]),
        .executable(name: "scripted-model", targets: ["scripted-model"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C, and the system libraries
        .target(name: "CLinux", cSettings: strictC),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .systemLibrary(name: "CVTerm", pkgConfig: "vterm", providers: [.apt(["libvterm-dev"])]),
        .executableTarget(
            name: "rookery-init",
            cSettings: strictC,
            linkerSettings: [
                .unsafeFlags(["-nostartfiles", "-static-executable", "-Xlinker", "--gc-sections"])
            ]
        ),

        // Tries to get out of a sandbox: static, since it runs inside
        .executableTarget(
            name: "attacks",
            path: "Tests/Attacks",
            cSettings: strictC,
            linkerSettings: [
                .unsafeFlags(["-nostartfiles", "-static-executable", "-Xlinker", "--gc-sections"])
            ]
        ),

        // The sandbox
        .target(name: "Policy", dependencies: [yams], swiftSettings: strict),
        .target(name: "Images", dependencies: ["CLinux", "Policy", crypto], swiftSettings: strict),
        .target(name: "ImageBuilding", dependencies: ["Images", "Policy", yams], swiftSettings: strict),
        .target(name: "Seccomp", dependencies: ["CLinux", "CSeccomp"], swiftSettings: strict),
        .target(name: "Sandbox", dependencies: ["CLinux", "Seccomp", "Policy"], swiftSettings: strict),

        // What our own programs give up
        .target(name: "Confinement", dependencies: ["CLinux", "Seccomp"], swiftSettings: strict),

        // The session core
        .target(name: "ClaudeCode", swiftSettings: strict),
        .target(name: "SessionCore", dependencies: ["ClaudeCode", "CLinux", "CVTerm", nio], swiftSettings: strict),
        .target(name: "Dialects", dependencies: ["SessionCore", nio, crypto], swiftSettings: strict),
        .target(
            name: "WorkerControl",
            dependencies: ["CLinux", "SessionCore", "Policy", nio, nioPosix, nioFoundation],
            swiftSettings: strict
        ),
        .target(
            name: "Worker",
            dependencies: [
                "ClaudeCode", "CLinux", "Confinement", "SessionCore", "Dialects", "WorkerControl",
                nio, nioPosix, nioHTTP, nioWebSocket, nioFoundation, logging,
            ],
            swiftSettings: strict
        ),
        .executableTarget(name: "rookery-worker", dependencies: ["Worker"], swiftSettings: strict),
        .target(
            name: "Launcher",
            dependencies: ["CLinux", "Images", "Sandbox", "Policy", "SessionCore", "WorkerControl", logging],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "rookery-launcher",
            dependencies: ["Launcher", "CLinux", "Sandbox", "Policy", "WorkerControl", arguments, logging],
            swiftSettings: strict
        ),

        // Measures sandboxes; `make bench`
        .executableTarget(
            name: "sandbox-bench", dependencies: ["CLinux", "Sandbox", "Policy"],
            path: "Ops/Benchmarks/SandboxBench", swiftSettings: strict),

        // What a session's log costs
        .executableTarget(
            name: "journal-bench", dependencies: ["CLinux", "SessionCore", nio, nioPosix],
            path: "Ops/Benchmarks/JournalBench", swiftSettings: strict),

        // The control plane
        .target(
            name: "Registry",
            dependencies: ["SessionCore", "Policy", crypto, .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: strict
        ),
        .target(
            name: "Gateway",
            dependencies: [
                "CLinux", "Policy", hummingbirdCore, httpTypes, asyncHTTP, nio, nioPosix, nioHTTP, logging, lifecycle,
                .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Supervisor",
            dependencies: [
                "ClaudeCode", "Registry", "WorkerControl", "Gateway", "Images", "Policy", "SessionCore", "CLinux",
                nio, nioPosix, crypto, logging, lifecycle,
            ],
            swiftSettings: strict
        ),
        .target(
            name: "API",
            dependencies: [
                "Supervisor", "Gateway", "Registry", "SessionCore", "WorkerControl", "Images", "Policy", "Dialects",
                hummingbird, hummingbirdCore, httpTypes, asyncHTTP, nio, nioPosix, nioHTTP, nioWebSocket, nioFoundation,
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "NIOExtras", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                crypto, logging, lifecycle,
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "rookery",
            dependencies: [
                "API", "ClaudeCode", "Dialects", "Supervisor", "Gateway", "Images", "ImageBuilding", "Registry",
                "SessionCore", "Policy", "CLinux", "Confinement", "Sandbox",
                arguments, asyncHTTP, nio, nioPosix, nioHTTP, nioWebSocket, nioFoundation, logging, lifecycle, yams,
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),

        // The offline model API
        .target(
            name: "ScriptedModel", dependencies: [hummingbird, httpTypes, nio, nioPosix, logging], swiftSettings: strict
        ),
        .executableTarget(
            name: "scripted-model",
            dependencies: [
                "ScriptedModel", arguments, lifecycle, logging,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),

        // Tests
        .executableTarget(
            name: "confinement-probe", dependencies: ["Confinement", "CLinux"], path: "Tests/ConfinementProbe",
            swiftSettings: strict),
        .testTarget(
            name: "ConfinementTests", dependencies: ["Confinement", "confinement-probe"], swiftSettings: strict),
        .testTarget(
            name: "PolicyTests", dependencies: ["Policy"], exclude: ["validate.py"], swiftSettings: strict),
        .testTarget(name: "ImagesTests", dependencies: ["Images", "CLinux"], swiftSettings: strict),
        .testTarget(name: "ImageBuildingTests", dependencies: ["ImageBuilding", "Images"], swiftSettings: strict),
        .testTarget(
            name: "SandboxTests", dependencies: ["Sandbox", "CLinux", "Policy", "WorkerControl"],
            swiftSettings: strict),
        .testTarget(name: "ClaudeCodeTests", dependencies: ["ClaudeCode"], swiftSettings: strict),
        .testTarget(
            name: "SessionCoreTests", dependencies: ["SessionCore", "ClaudeCode", "CLinux", nio, nioPosix],
            swiftSettings: strict),
        .testTarget(name: "DialectsTests", dependencies: ["Dialects", "SessionCore", nio], swiftSettings: strict),
        .testTarget(
            name: "WorkerTests",
            dependencies: [
                "Worker", "WorkerControl", "SessionCore", "ClaudeCode", "Dialects", "CLinux",
                nio, nioPosix, nioHTTP, nioWebSocket, nioFoundation, logging,
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            exclude: ["Support/channel_program.py"], swiftSettings: strict),
        .testTarget(
            name: "LauncherTests",
            dependencies: [
                "Launcher", "Images", "ImageBuilding", "Sandbox", "WorkerControl", "SessionCore", "Policy", "CLinux",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "RegistryTests",
            dependencies: [
                "Registry", "SessionCore", "Policy", crypto, .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "SupervisorTests",
            dependencies: [
                "ClaudeCode", "Supervisor", "Gateway", "Registry", "WorkerControl", "SessionCore", "Images", "Policy",
                "CLinux", nio, nioPosix, hummingbird, logging,
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .testTarget(name: "ScriptedModelTests", dependencies: ["ScriptedModel"], swiftSettings: strict),
        .testTarget(
            name: "RookeryCommandTests",
            dependencies: ["rookery", "API", "Dialects", "SessionCore", "Policy", arguments, logging, nioHTTP],
            swiftSettings: strict),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "Gateway", "Policy", "ScriptedModel", asyncHTTP, hummingbird, httpTypes, nio, nioPosix, nioHTTP,
                logging,
                lifecycle,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "APITests",
            dependencies: [
                "API", "Dialects", "Gateway", "Supervisor", "Registry", "SessionCore", "Images", "Policy",
                "WorkerControl", hummingbird,
                httpTypes,
                nio, nioPosix, nioHTTP, nioWebSocket, asyncHTTP, logging,
                .product(name: "HummingbirdTesting", package: "hummingbird"),
            ],
            swiftSettings: strict),
        .target(
            name: "EndToEndSupport",
            dependencies: ["SessionCore", asyncHTTP, nio, nioPosix, nioHTTP, nioWebSocket, nioFoundation],
            path: "Tests/EndToEndSupport", swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "EndToEndSupport", "SessionCore", "CLinux", asyncHTTP, nio, nioPosix, nioHTTP, nioWebSocket,
                nioFoundation, logging,
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            exclude: ["Egress/stand_in.py", "Egress/hostile.py"],
            swiftSettings: strict),
        .testTarget(
            name: "FaultTests", dependencies: ["EndToEndSupport", "SessionCore", "CLinux"], path: "Tests/Faults",
            swiftSettings: strict),
    ]
)
