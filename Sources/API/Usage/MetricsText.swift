import Gateway
import Registry

/// Prometheus' text format (exposition format 0.0.4). What was used comes from the accounts, so that it goes on rising
/// over restarts; what the gateway does is counted since its start.
struct MetricsText {
    let usage: [UsageRow]
    let gateway: GatewayCounters.Values
    var load = (running: 0, waiting: 0)
    var upstreams: [UpstreamHealth.Standing] = []

    var text: String {
        var lines: [String] = []
        func family(_ name: String, _ type: String, _ help: String) {
            lines.append("# HELP \(name) \(help)")
            lines.append("# TYPE \(name) \(type)")
        }
        func labels(_ row: UsageRow) -> String {
            "tenant=\"\(Self.escaped(row.tenant ?? ""))\",model=\"\(Self.escaped(row.model ?? ""))\""
        }
        family("rookery_model_tokens_total", "counter", "Tokens that sessions have used, by kind.")
        for row in usage {
            let kinds = [
                ("input", row.tokens.input), ("output", row.tokens.output), ("cache_read", row.tokens.cacheRead),
                ("cache_write", row.tokens.cacheWrite),
            ]
            for (kind, count) in kinds {
                lines.append("rookery_model_tokens_total{\(labels(row)),kind=\"\(kind)\"} \(count)")
            }
        }
        family("rookery_model_cost_usd_total", "counter", "What that cost in USD, by the price list.")
        for row in usage {
            lines.append("rookery_model_cost_usd_total{\(labels(row))} \(row.tokens.usd)")
        }
        family("rookery_model_answers_total", "counter", "Messages that the model API answered.")
        for row in usage { lines.append("rookery_model_answers_total{\(labels(row))} \(row.requests)") }

        family("rookery_gateway_requests_total", "counter", "Requests of sessions that ended, since the start.")
        let keys = gateway.requests.sorted { "\($0.key.outcome)\($0.key.status)" < "\($1.key.outcome)\($1.key.status)" }
        for (key, count) in keys {
            lines.append(
                "rookery_gateway_requests_total{outcome=\"\(key.outcome.rawValue)\",status=\"\(key.status)\"} \(count)")
        }
        let first = "rookery_gateway_first_byte_seconds"
        family(first, "histogram", "From a request's arrival to the first byte of the answer's body.")
        for (bound, count) in zip(GatewayCounters.Histogram.bounds, gateway.firstByte.counts) {
            lines.append("\(first)_bucket{le=\"\(bound)\"} \(count)")
        }
        lines.append("\(first)_bucket{le=\"+Inf\"} \(gateway.firstByte.count)")
        lines.append("\(first)_sum \(gateway.firstByte.sum)")
        lines.append("\(first)_count \(gateway.firstByte.count)")
        family("rookery_gateway_messages", "gauge", "Messages that are asked now, or wait for their turn.")
        lines.append("rookery_gateway_messages{state=\"running\"} \(load.running)")
        lines.append("rookery_gateway_messages{state=\"waiting\"} \(load.waiting)")
        family("rookery_upstream_open", "gauge", "1 while an upstream is not asked because it does not answer.")
        for upstream in upstreams {
            lines.append(
                "rookery_upstream_open{upstream=\"\(Self.escaped(upstream.upstream))\"} \(upstream.isOpen ? 1 : 0)")
        }
        family("rookery_upstream_failures", "gauge", "Requests in a row that an upstream did not answer.")
        for upstream in upstreams {
            lines.append(
                "rookery_upstream_failures{upstream=\"\(Self.escaped(upstream.upstream))\"} \(upstream.failures)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
