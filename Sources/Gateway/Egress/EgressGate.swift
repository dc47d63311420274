import Dispatch
import Foundation
import Logging
import NIOCore
import NIOPosix
import Policy

/// Decides about connections and makes them: what was checked is what is connected to.
final class EgressGate: Sendable {
    let authority: any EgressAuthority
    let books: EgressBooks
    let counters: EgressCounters
    /// Whether a process may speak for a session. nil is a process that the kernel does not name.
    let speaksFor: @Sendable (pid_t?, UUID) -> Bool
    private let standIns: [String: SocketAddress]
    private let tls: ServerTLS?
    private let logger: Logger
    private let lookups: NameLookups
    private let news = RefusalNews()

    private static let connectLimit = TimeAmount.seconds(10)
    /// Addresses of a name that are tried, one after another.
    private static let mostAttempts = 3

    /// - Parameters:
    ///   - bounds: of the looking up of names.
    ///   - standIns: addresses that stand for hosts (`host:port`) and are not checked. For tests.
    init(
        authority: any EgressAuthority, resolver: any HostResolver,
        bounds: NameLookups.Bounds = NameLookups.Bounds(), standIns: [String: SocketAddress] = [:],
        tls: ServerTLS? = nil, counters: EgressCounters = EgressCounters(), logger: Logger,
        speaksFor: @escaping @Sendable (pid_t?, UUID) -> Bool
    ) {
        self.speaksFor = speaksFor
        self.authority = authority
        lookups = NameLookups(resolver, bounds: bounds)
        self.standIns = standIns
        self.tls = tls
        self.counters = counters
        self.logger = logger
        books = EgressBooks(authority: authority, logger: logger)
    }

    /// Lets a request out: to an open connection, on which nothing is read yet, and its share of the accounts, which the
    /// caller closes.
    func admit(
        _ request: ProxyRequest, of session: UUID, on loop: any EventLoop
    ) async throws(EgressRefusal) -> Admission {
        let target = request.target
        let grant = try await check(request, of: session)
        let secret = try await secret(for: request, grant, of: session)
        let use = try await books.use(of: session, grant, for: target)
        do throws(EgressRefusal) {
            let addresses = try await addresses(of: target, for: session)
            let secures = if case .plain(let plain) = request.kind { plain.isSecured } else { false }
            let peer = try await connect(to: target, at: addresses, secures: secures, on: loop)
            return Admission(peer: peer, use: use, secret: secret)
        } catch {
            use.close()
            throw error
        }
    }

    struct Admission: Sendable {
        var peer: any Channel
        var use: EgressUse
        /// What is added to the request.
        var secret: (header: String, value: String)?
    }

    /// Nothing is sent by the secured way without one: its only use would be to hide from the tool whom it speaks with.
    private func secret(
        for request: ProxyRequest, _ grant: EgressGrant, of session: UUID
    ) async throws(EgressRefusal) -> (header: String, value: String)? {
        guard case .plain(let plain) = request.kind, plain.isSecured else { return nil }
        let target = request.target
        guard target.port == EgressSecret.port,
            let secret = grant.egress.secrets.first(where: { $0.host == target.host })
        else { throw .noSecret(grant, target) }
        do throws(EgressSecretFault) {
            let value = try await authority.egressSecret(named: secret.secret, for: session, to: secret.host)
            return (secret.header, value)
        } catch {
            logger.log(
                level: error == .notSet ? .notice : .error, "a tool's secret is not sent",
                metadata: [
                    "secret": "\(secret.secret)", "host": "\(target)", "session": "\(session)", "reason": "\(error)",
                ])
            throw .secret(secret.secret, error, grant, target)
        }
    }

    /// By the policy alone, before any name is looked up.
    private func check(_ request: ProxyRequest, of session: UUID) async throws(EgressRefusal) -> EgressGrant {
        guard let grant = await authority.egressGrant(of: session) else { throw .noSession }
        let target = request.target
        switch request.kind {
        case .tunnel:
            guard grant.allows(target, method: nil) else { throw .policy(grant, target) }
        case .plain(let plain):
            guard grant.allows(target, method: plain.method) else {
                // Which of the two is wrong: its reader asks for something else.
                if grant.allows(target, method: nil) { throw .method(grant, target, plain.method) }
                throw .policy(grant, target)
            }
        }
        return grant
    }

    /// Where a target is, all of it public. Looked up this once: what the name says later does not matter.
    private func addresses(
        of target: EgressDestination, for session: UUID
    ) async throws(EgressRefusal) -> [SocketAddress] {
        if let standIn = standIns[target.description] { return [standIn] }
        let found: [SocketAddress]
        do throws(NameLookups.Failure) {
            found = try await lookups.addresses(of: target, for: session)
        } catch { throw .lookup(error, within: lookups.bounds, target) }
        guard !found.isEmpty else { throw .unknownHost(target) }
        let own = (try? System.enumerateDevices().compactMap(\.address)) ?? []
        let allowed = found.filter { AddressRules.isPublic($0, own: Set(own)) }
        guard !allowed.isEmpty else { throw .privateAddress(target) }
        return allowed
    }

    private func connect(
        to target: EgressDestination, at addresses: [SocketAddress], secures: Bool, on loop: any EventLoop
    ) async throws(EgressRefusal) -> any Channel {
        for address in addresses.prefix(Self.mostAttempts) {
            let attempt = ClientBootstrap(group: loop)
                .connectTimeout(Self.connectLimit)
                .channelOption(.autoRead, value: secures)
                .channelOption(.allowRemoteHalfClosure, value: true)
                .channelOption(.maxMessagesPerRead, value: 4)
                .channelOption(.writeBufferWaterMark, value: .init(low: 64 << 10, high: 256 << 10))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        // Under TLS a server says nothing before it is asked.
                        if !secures { try channel.pipeline.syncOperations.addHandler(EarlyBytes()) }
                    }
                }
                .connect(to: address)
            guard let channel = try? await attempt.get() else { continue }
            guard secures else { return channel }
            if await secure(channel, to: target) { return channel }
        }
        throw .unreachable(target)
    }

    private func secure(_ channel: any Channel, to target: EgressDestination) async -> Bool {
        guard let tls else { return false }
        let watch = channel.eventLoop.scheduleTask(in: Self.connectLimit) { channel.close(promise: nil) }
        defer { watch.cancel() }
        do {
            try await tls.start(on: channel, for: target.host.text).get()
            try await channel.setOption(.autoRead, value: false).get()
            return true
        } catch {
            logger.info("TLS to a host failed", metadata: ["host": "\(target)", "error": "\(error)"])
            channel.close(promise: nil)
            return false
        }
    }

    func report(_ refusal: EgressRefusal, _ session: UUID?) {
        counters.change { $0.refused[refusal.reason.rawValue, default: 0] += 1 }
        guard let session, let news = news.news(refusal, of: session, ticks: DispatchTime.now().uptimeNanoseconds)
        else { return }
        let authority = authority
        Task { await authority.egressRefused(session, news) }
    }

    /// Books what has moved; to be called every second or so.
    func keepBooks() async {
        await books.book()
        news.tidy(ticks: DispatchTime.now().uptimeNanoseconds)
    }
}
