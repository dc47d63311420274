public import Foundation
public import Gateway
public import Logging
public import Registry
import SessionCore

/// Knows with which credential a session's requests go upstream: its user's own, else its tenant's, else the one that all
/// share. Tokens that expire are renewed here and nowhere else, each by one request at a time, so that sessions never log
/// each other out.
public actor CredentialVault: ModelAccess {
    /// A credential in clear, with what the registry says of it.
    private struct Held {
        var row: CredentialRow
        /// nil: it cannot be opened.
        var secret: ModelCredential?
    }

    private let registry: SessionRegistry
    private let key: SealingKey
    private let shared: SharedKey
    private let upstream: UpstreamURL
    private let refresh = TokenRefresh()
    private let logger: Logger
    private let clock: SupervisorClock

    private var held: [CredentialOwner: Held]?
    private var loading: Task<Result<[CredentialOwner: Held], RegistryError>, Never>?
    /// Rises with every change, so that what was read before it is known to be old.
    private var changes = 0
    /// Renewed and not stored yet, with the version that the registry still has: that one's refresh token may be spent.
    private var unstored: [Int64: (version: Int, secret: ModelCredential)] = [:]
    private let owners: SessionOwners
    private var renewals: [Int64: Task<Bool, Never>] = [:]
    /// When a renewal that failed may be tried again.
    private var restUntil: [Int64: MonotonicTime] = [:]
    /// When what could not be stored may be tried again.
    private var storeAt: [Int64: MonotonicTime] = [:]

    /// Before a token expires.
    private static let margin: TimeInterval = 60
    /// Between two tries of a renewal that failed, in seconds.
    private static let rest: TimeInterval = 15

    public init(
        registry: SessionRegistry, key: SealingKey, upstream: UpstreamURL, sharedKey: String?, logger: Logger,
        clock: SupervisorClock = .system
    ) {
        self.registry = registry
        self.key = key
        self.upstream = upstream
        self.shared = SharedKey(upstream: upstream, apiKey: sharedKey)
        self.logger = logger
        self.clock = clock
        owners = SessionOwners(registry)
    }

    // MARK: - For the gateway

    public func grant(for session: UUID) async throws(Refusal) -> UpstreamGrant {
        let known: CredentialOwner?
        do throws(RegistryError) { known = try await owners.owner(of: SessionID(session)) } catch { throw .uncounted }
        guard let owner = known else { throw .unknown(session) }
        guard let found = try await credential(of: owner) else {
            var grant = try await shared.grant(for: session)
            grant.tenant = owner.tenantID
            return grant
        }
        guard let secret = found.secret else { throw .locked }
        storeAgain(found.row)
        if let expires = secret.expiresAt, expires.timeIntervalSince(clock.now()) < Self.margin, await renew(found) {
            guard let fresh = try await credential(of: owner), let secret = fresh.secret else { throw .locked }
            return grant(secret, owner)
        }
        return grant(secret, owner)
    }

    public func renewed(_ grant: UpstreamGrant, for session: UUID) async -> UpstreamGrant? {
        guard let owner = try? await owners.owner(of: SessionID(session)),
            let found = try? await credential(of: owner), let secret = found.secret
        else { return nil }
        // Somebody has renewed or changed it since.
        let known = self.grant(secret, owner)
        if !known.isSame(as: grant) { return known }
        guard secret.kind == .oauth, await renew(found), let fresh = try? await credential(of: owner),
            let secret = fresh.secret
        else { return nil }
        return self.grant(secret, owner)
    }

    private func grant(_ secret: ModelCredential, _ owner: CredentialOwner) -> UpstreamGrant {
        UpstreamGrant(
            upstream: secret.upstream.flatMap { UpstreamURL(parsing: $0) } ?? upstream, headers: secret.requestHeaders,
            tenant: owner.tenantID)
    }

    private func credential(of owner: CredentialOwner) async throws(Refusal) -> Held? {
        let all: [CredentialOwner: Held]
        do throws(RegistryError) { all = try await loaded() } catch { throw .uncounted }
        return all[owner] ?? all[CredentialOwner(tenantID: owner.tenantID, userID: nil)]
    }

    private func loaded() async throws(RegistryError) -> [CredentialOwner: Held] {
        while true {
            if let held { return held }
            let mark = changes
            let task =
                loading
                ?? Task {
                    do throws(RegistryError) {
                        var found: [CredentialOwner: Held] = [:]
                        for row in try await registry.credentials() { found[row.owner] = open(row) }
                        return .success(found)
                    } catch {
                        return .failure(error)
                    }
                }
            loading = task
            let result = await task.value
            if loading == task { loading = nil }
            // What was changed meanwhile may not be in it.
            if held == nil, mark == changes { held = try result.get() }
        }
    }

    /// The registry has changed: what was read before does not count.
    private func changed() {
        changes += 1
        held = nil
        loading = nil
    }

    private func open(_ row: CredentialRow) -> Held {
        if let kept = unstored[row.id] {
            if kept.version == row.version { return Held(row: row, secret: kept.secret) }
            unstored[row.id] = nil
        }
        let secret = key.open(row.sealed, for: row.seal).flatMap {
            try? JSONDecoder().decode(ModelCredential.self, from: $0)
        }
        if secret == nil {
            logger.error(
                "a credential does not open with this key: set it again",
                metadata: ["tenant": "\(row.tenant)", "user": "\(row.user ?? "-")"])
        }
        return Held(row: row, secret: secret)
    }

    // MARK: - Renewal

    /// One renewal for all that wait for it.
    private func renew(_ held: Held) async -> Bool {
        let id = held.row.id
        if let running = renewals[id] { return await running.value }
        if let until = restUntil[id], clock.monotonic() < until { return false }
        let worked = await alone(id) { await $0.renewNow(held) }
        restUntil[id] = worked ? nil : clock.monotonic() + Self.rest
        return worked
    }

    private func alone(
        _ id: Int64, _ body: @escaping @Sendable (isolated CredentialVault) async -> Bool
    ) async -> Bool {
        let task = Task { await body(self) }
        renewals[id] = task
        defer { renewals[id] = nil }
        return await task.value
    }

    private func renewNow(_ held: Held) async -> Bool {
        let row = held.row
        guard var secret = held.secret, let refreshToken = secret.refreshToken, let url = secret.tokenURL else {
            return false
        }
        do throws(TokenRefresh.Failure) {
            let answer = try await refresh.refresh(
                at: url, form: secret.tokenForm ?? .form, clientID: secret.clientID, refreshToken: refreshToken)
            secret.token = answer.accessToken
            if let next = answer.refreshToken, UpstreamGrant.isToken(next) { secret.refreshToken = next }
            secret.expiresAt = answer.expiresIn.map { clock.now().addingTimeInterval(max(0, $0)) }
        } catch {
            logger.warning("a token is not renewed", metadata: ["tenant": "\(row.tenant)", "reason": "\(error)"])
            if case .refused(let status) = error {
                let fault = "the token endpoint answered \(status): set the credential again"
                try? await registry.faultCredential(row.id, version: row.version, fault)
                changed()
            }
            return false
        }
        return await keep(secret, row)
    }

    /// The old refresh token may be spent by now: the new one is stored before anything else.
    private func keep(_ secret: ModelCredential, _ row: CredentialRow) async -> Bool {
        do {
            let sealed = try key.seal(try JSONEncoder().encode(secret), for: row.seal)
            // nil: set or removed meanwhile, and that counts.
            _ = try await registry.renewCredential(
                row.id, version: row.version, sealed: sealed, expiresAt: secret.expiresAt, at: clock.now())
            unstored[row.id] = nil
        } catch {
            logger.error(
                "a renewed token cannot be stored: it is used all the same, and stored when that works",
                metadata: ["tenant": "\(row.tenant)", "error": "\(error)"])
            unstored[row.id] = (row.version, secret)
            storeAt[row.id] = clock.monotonic() + Self.rest
        }
        changed()
        return true
    }

    private func storeAgain(_ row: CredentialRow) {
        guard let kept = unstored[row.id], renewals[row.id] == nil, clock.monotonic() >= storeAt[row.id] ?? .distantPast
        else { return }
        Task { await alone(row.id) { await $0.keep(kept.secret, row) } }
    }

    // MARK: - For the API

    /// Those of the caller's tenant, without their secrets; an operator's: all.
    public func list(as principal: Principal) async throws(SupervisorError) -> [CredentialRow] {
        try await stored { () async throws(RegistryError) in try await self.loaded() }.values.map(\.row)
            .filter { principal.role == .operator || $0.tenantID == principal.tenantID }
            .sorted { ($0.tenant, $0.user ?? "") < ($1.tenant, $1.user ?? "") }
    }

    /// Sets or rotates the credential of a tenant, or of one of its users. It counts from the next request.
    public func set(
        _ credential: ModelCredential, tenant: String?, user: String?, by principal: Principal
    ) async throws(SupervisorError) -> CredentialRow {
        if let problem = credential.problem { throw SupervisorError(.invalid, problem) }
        if credential.reachesThisBox, principal.role != .operator {
            throw SupervisorError(
                .forbidden,
                "only an operator names an upstream or a token endpoint that is not https: it can be this box")
        }
        let owner = try await registry.owner(tenant: tenant, user: user, asked: principal)
        let sealed: Data
        do { sealed = try key.seal(try JSONEncoder().encode(credential), for: owner.seal) } catch {
            throw SupervisorError(.invalid, "the credential cannot be sealed")
        }
        let row = try await stored { () async throws(RegistryError) in
            try await self.registry.setCredential(
                sealed, kind: credential.kind.rawValue, owner: owner, expiresAt: credential.expiresAt,
                by: principal.name, at: self.clock.now())
        }
        changed()
        restUntil[row.id] = nil
        logger.notice(
            "credential set",
            metadata: [
                "tenant": "\(row.tenant)", "user": "\(row.user ?? "-")", "kind": "\(row.kind)",
                "by": "\(principal.name)",
            ])
        return row
    }

    public func remove(_ id: Int64, by principal: Principal) async throws(SupervisorError) {
        let tenant = principal.role == .operator ? nil : principal.tenantID
        let removed = try await stored { () async throws(RegistryError) in
            try await self.registry.removeCredential(id, tenantID: tenant, by: principal.name)
        }
        guard removed else { throw SupervisorError(.notFound, "there is no credential \(id)") }
        changed()
        logger.notice("credential removed", metadata: ["id": "\(id)", "by": "\(principal.name)"])
    }
}

extension CredentialOwner {
    /// What a sealed credential is bound to.
    var seal: String { "rookery credential, tenant \(tenantID), user \(userID.map(String.init) ?? "all")" }
}

extension CredentialRow {
    var owner: CredentialOwner { CredentialOwner(tenantID: tenantID, userID: userID) }
    var seal: String { owner.seal }
}
