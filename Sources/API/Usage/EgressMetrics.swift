import Gateway

/// What goes to the world and what does not, in Prometheus' text format; since the start.
struct EgressMetrics {
    let text: String

    init(_ values: EgressCounters.Values) {
        var lines: [String] = []
        func family(_ name: String, _ type: String, _ help: String, _ samples: [(labels: String, value: Int64)]) {
            lines.append("# HELP \(name) \(help)")
            lines.append("# TYPE \(name) \(type)")
            for (labels, value) in samples { lines.append("\(name)\(labels) \(value)") }
        }
        family(
            "rookery_egress_connections_total", "counter", "Connections that were let out, by kind.",
            [("{kind=\"tunnel\"}", Int64(values.tunnels)), ("{kind=\"plain\"}", Int64(values.plainRequests))])
        family(
            "rookery_egress_connections", "gauge", "Connections that are open now.", [("", Int64(values.openNow))])
        family(
            "rookery_egress_refused_total", "counter", "Connections that were refused, by reason.",
            values.refused.sorted { $0.key < $1.key }.map { ("{reason=\"\($0.key)\"}", Int64($0.value)) })
        family(
            "rookery_egress_bytes_total", "counter", "Bytes out of sandboxes (sent) and into them (received).",
            [("{direction=\"sent\"}", values.sent), ("{direction=\"received\"}", values.received)])
        text = lines.joined(separator: "\n") + "\n"
    }
}
