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
    private var owners: [UUID: CredentialOwner] = [:]
    private var renewals: [Int64: Task<Bool, Never>] = [:]
    /// When a renewal that failed may be tried again.
    private var restUntil: [Int64: MonotonicTime] = [:]

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
    }

    // MARK: - For the gateway

    public func grant(for session: UUID) async throws(Refusal) -> UpstreamGrant {
        guard let owner = try await known(session, else: .uncounted) else { throw .unknown(session) }
        guard let found = try await credential(of: owner) else { return try await shared.grant(for: session) }
        guard let secret = found.secret else { throw .locked }
        if let expires = secret.expiresAt, expires.timeIntervalSince(clock.now()) < Self.margin, await renew(found.row)
        {
            guard let fresh = try await credential(of: owner), let secret = fresh.secret else { throw .locked }
            return grant(secret, fresh.row)
        }
        return grant(secret, found.row)
    }

    public func renewed(_ grant: UpstreamGrant, for session: UUID) async -> UpstreamGrant? {
        guard let used = grant.credential, let owner = owners[session], let found = try? await credential(of: owner),
            let secret = found.secret
        else { return nil }
        // Somebody has renewed or changed it since.
        if found.row.id != used.id || found.row.version != used.version { return self.grant(secret, found.row) }
        guard secret.kind == .oauth, await renew(found.row), let fresh = try? await credential(of: owner),
            let secret = fresh.secret
        else { return nil }
        return self.grant(secret, fresh.row)
    }

    private func grant(_ secret: ModelCredential, _ row: CredentialRow) -> UpstreamGrant {
        UpstreamGrant(
            upstream: secret.upstream.flatMap { UpstreamURL(parsing: $0) } ?? upstream, headers: secret.requestHeaders,
            credential: (row.id, row.version))
    }

    private func known(_ session: UUID, else refusal: Refusal) async throws(Refusal) -> CredentialOwner? {
        if let owner = owners[session] { return owner }
        guard let id = SessionID(parsing: session.uuidString.lowercased()) else { return nil }
        do throws(RegistryError) {
            guard let owner = try await registry.owner(of: id) else { return nil }
            // A session never changes hands. Bounded: what is forgotten is looked up again.
            if owners.count >= 10_000 { owners.removeAll() }
            owners[session] = owner
            return owner
        } catch {
            throw refusal
        }
    }

    private func credential(of owner: CredentialOwner) async throws(Refusal) -> Held? {
        let all: [CredentialOwner: Held]
        do throws(RegistryError) { all = try await loaded() } catch { throw .uncounted }
        return all[owner] ?? all[CredentialOwner(tenantID: owner.tenantID, userID: nil)]
    }

    private func loaded() async throws(RegistryError) -> [CredentialOwner: Held] {
        if let held { return held }
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
        loading = nil
        let found = try result.get()
        if held == nil { held = found }
        return held ?? found
    }

    private func open(_ row: CredentialRow) -> Held {
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
    private func renew(_ row: CredentialRow) async -> Bool {
        if let current = held?[row.owner], current.row.version != row.version { return true }
        if let running = renewals[row.id] { return await running.value }
        if let until = restUntil[row.id], clock.monotonic() < until { return false }
        let task = Task { await self.renewNow(row) }
        renewals[row.id] = task
        let worked = await task.value
        renewals[row.id] = nil
        restUntil[row.id] = worked ? nil : clock.monotonic() + Self.rest
        return worked
    }

    private func renewNow(_ row: CredentialRow) async -> Bool {
        guard var secret = held?[row.owner]?.secret, let refreshToken = secret.refreshToken, let url = secret.tokenURL
        else { return false }
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
                if held?[row.owner]?.row.version == row.version { held?[row.owner]?.row.fault = fault }
            }
            return false
        }
        return await keep(secret, row)
    }

    /// The old refresh token may be spent by now: the new one is stored before anything else.
    private func keep(_ secret: ModelCredential, _ row: CredentialRow) async -> Bool {
        do {
            let sealed = try key.seal(try JSONEncoder().encode(secret), for: row.seal)
            guard
                let stored = try await registry.renewCredential(
                    row.id, version: row.version, sealed: sealed, expiresAt: secret.expiresAt, at: clock.now())
            else {
                // Set or removed meanwhile: that counts.
                held = nil
                return true
            }
            held?[row.owner] = Held(row: stored, secret: secret)
        } catch {
            logger.error(
                "a renewed token cannot be stored; it is used until the supervisor ends",
                metadata: ["tenant": "\(row.tenant)", "error": "\(error)"])
            var row = row
            row.version += 1
            held?[row.owner] = Held(row: row, secret: secret)
        }
        return true
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
        let owner = try await self.owner(tenant: tenant, user: user, principal)
        _ = try await stored { () async throws(RegistryError) in try await self.loaded() }
        let sealed: Data
        do { sealed = try key.seal(try JSONEncoder().encode(credential), for: owner.seal) } catch {
            throw SupervisorError(.invalid, "the credential cannot be sealed")
        }
        let row = try await stored { () async throws(RegistryError) in
            try await self.registry.setCredential(
                sealed, kind: credential.kind.rawValue, owner: owner, expiresAt: credential.expiresAt,
                by: principal.name, at: self.clock.now())
        }
        held?[owner] = Held(row: row, secret: credential)
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
            try await self.registry.removeCredential(id, tenantID: tenant)
        }
        guard removed else { throw SupervisorError(.notFound, "there is no credential \(id)") }
        held = held?.filter { $0.value.row.id != id }
        logger.notice("credential removed", metadata: ["id": "\(id)", "by": "\(principal.name)"])
    }

    private func owner(
        tenant: String?, user: String?, _ principal: Principal
    ) async throws(SupervisorError) -> CredentialOwner {
        var owner = CredentialOwner(tenantID: principal.tenantID, userID: nil)
        if let tenant {
            let found = try await stored { () async throws(RegistryError) in
                try await self.registry.tenant(named: tenant)
            }
            guard let found, principal.role == .operator || found.id == principal.tenantID else {
                throw SupervisorError(.notFound, "there is no tenant '\(tenant.prefix(128))'")
            }
            owner.tenantID = found.id
        }
        if let user {
            let id = owner.tenantID
            let found = try await stored { () async throws(RegistryError) in
                try await self.registry.user(named: user, tenantID: id)
            }
            guard let found else { throw SupervisorError(.notFound, "there is no user '\(user.prefix(128))'") }
            owner.userID = found.id
        }
        return owner
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
