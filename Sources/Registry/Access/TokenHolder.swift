import GRDB

extension SessionRegistry {
    /// Whom the token with this public id stands for; nil once it is revoked. For browser logins, which were opened
    /// with the whole token and must end with it.
    public func principal(ofTokenID publicID: String) async throws(RegistryError) -> Principal? {
        let record = try await read { try Self.token(publicID, $0) }
        guard let record, record.revokedAt == nil else { return nil }
        return Principal(
            tenantID: record.tenantID, userID: record.userID, name: record.user, role: record.role,
            tokenID: record.publicID)
    }
}
