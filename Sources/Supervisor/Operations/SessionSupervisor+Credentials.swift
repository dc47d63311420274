import Foundation
import Logging
public import Registry
import SessionCore
public import WorkerControl

extension Principal {
    /// What a role may do with a session that it sees.
    public var clientAccess: ClientAccess {
        switch role {
        case .viewer: .view
        case .approver: .approve
        case .user, .admin, .operator: .drive
        }
    }
}

extension SessionSupervisor {
    /// What a credential is worth has changed: every worker is told what its clients may do now. Returns when those that
    /// answer have closed what is to be closed.
    public func credentialChanged(_ name: CredentialName, reason: String) async {
        let principal: Principal?
        do {
            principal = try await holder(of: name)
        } catch {
            // Whoever cannot be vouched for goes; the client is let in again when the registry can be read.
            principal = nil
            logger.error("a credential cannot be looked up", metadata: ["error": "\(error)"])
        }
        await withTaskGroup(of: Void.self) { group in
            for entry in entries.values {
                guard let connection = entry.connection else { continue }
                let change = CredentialChange(name, access: access(of: principal, to: entry), reason: reason)
                group.addTask { await self.tell(change, to: connection) }
            }
        }
    }

    /// Has a worker that was just found treat its clients as the registry says.
    func reassess(_ clients: [AttachedClient], of entry: SessionEntry, over connection: WorkerConnection) async {
        var known: Set<CredentialName> = []
        for client in clients {
            guard let credential = client.credential,
                let name = credential.token.map(CredentialName.token) ?? credential.share.map(CredentialName.share),
                known.insert(name).inserted
            else { continue }
            // What cannot be looked up now is not known to be taken back; the client was let in by it once.
            guard case .success(let principal) = await looked(up: name) else { continue }
            let access = access(of: principal, to: entry)
            guard access != client.access else { continue }
            await tell(
                CredentialChange(name, access: access, reason: "what you were let in by was taken back"),
                to: connection)
        }
    }

    private func holder(of name: CredentialName) async throws(RegistryError) -> Principal? {
        switch name {
        case .token(let id): try await registry.principal(ofTokenID: id)
        case .share(let id): try await registry.principal(ofShareID: id)
        case .login: nil
        }
    }

    private func looked(up name: CredentialName) async -> Result<Principal?, RegistryError> {
        do throws(RegistryError) { return .success(try await holder(of: name)) } catch { return .failure(error) }
    }

    private func access(of principal: Principal?, to entry: SessionEntry) -> ClientAccess? {
        principal.flatMap { $0.maySee(entry.record) ? $0.clientAccess : nil }
    }

    private func tell(_ change: CredentialChange, to connection: WorkerConnection) async {
        do {
            let reply = try await connection.send(.credential(change), within: .seconds(2))
            guard case .refused(let code, _) = reply else { return }
            logger.warning(
                "a worker cannot take rights back",
                metadata: ["session": "\(connection.hello.sessionID)", "code": "\(code)"])
        } catch {
            // It has the message when it goes on, or is asked again when it is connected to again.
            logger.warning(
                "a worker does not answer that rights changed",
                metadata: ["session": "\(connection.hello.sessionID)", "error": "\(error)"])
        }
    }
}
