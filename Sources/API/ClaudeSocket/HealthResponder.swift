import Hummingbird

/// The only answer of claude-socket's own listener to a request that is no WebSocket, whatever its path and method.
struct HealthResponder: HTTPResponder {
    typealias Context = APIContext

    let hub: ClaudeSocketHub
    let origins: OriginPolicy

    func respond(to request: Request, context: APIContext) async throws -> Response {
        do { try origins.checkHost(try CallerRequest(request, channel: context.channel)) } catch {
            return Response(error)
        }
        return .raw(await hub.health())
    }
}
