import Supervisor

/// The sandboxes that wait for sessions, in Prometheus' text format. Nothing where no policy has any.
struct SpareMetrics {
    let text: String

    init(_ report: SpareReport) {
        guard report.made > 0 || report.missed > 0 || !report.pools.isEmpty else {
            text = ""
            return
        }
        var lines: [String] = []
        func family(_ name: String, _ type: String, _ help: String, _ samples: [(labels: String, value: Int)]) {
            lines.append("# HELP \(name) \(help)")
            lines.append("# TYPE \(name) \(type)")
            for (labels, value) in samples { lines.append("\(name)\(labels) \(value)") }
        }
        func labels(_ pool: SpareReport.Pool, _ state: String) -> String {
            "{tenant=\"\(MetricsText.escaped(pool.tenant))\",policy=\"\(MetricsText.escaped(pool.policy))\","
                + "state=\"\(state)\"}"
        }
        family(
            "rookery_spares", "gauge", "Sandboxes that wait for a session: as many as are wanted, and are ready.",
            report.pools.flatMap { [(labels($0, "wanted"), $0.wanted), (labels($0, "ready"), $0.ready)] })
        family("rookery_spares_made_total", "counter", "Spares that were made.", [("", report.made)])
        family(
            "rookery_spares_asked_total", "counter", "Sessions that could have had a spare: had one, or began cold.",
            [("{start=\"spare\"}", report.claimed), ("{start=\"cold\"}", report.missed)])
        family(
            "rookery_spares_dropped_total", "counter", "Spares that no session had, by reason.",
            report.dropped.sorted { $0.key < $1.key }.map { ("{reason=\"\($0.key)\"}", $0.value) })
        text = lines.joined(separator: "\n") + "\n"
    }
}
