import Foundation
import Policy
import Registry
import Supervisor

/// `GET …/egress`.
struct EgressDocument: Encodable, Sendable {
    struct Limits: Encodable, Sendable {
        var connections: Int
        /// A second.
        var bandwidthBytes: UInt64?
        var dailyBytes: UInt64?
    }

    struct Day: Encodable, Sendable {
        var day: String
        var sentBytes: Int64
        var receivedBytes: Int64
        var connections: Int64
    }

    struct Refusal: Encodable, Sendable {
        var target: String
        var reason: String
        var detail: String
        var count: Int64
        var firstAt: Date
        var lastAt: Date
    }

    var policy: String
    var mode: String
    var allow: [String]
    /// nil: the session has no list of its own.
    var narrowed: [String]?
    var limits: Limits
    var tenantLimits: Limits
    var days: [Day]
    var refusals: [Refusal]

    init(_ view: EgressView) {
        let rules = view.rules
        policy = view.policy
        mode = rules.mode.rawValue
        allow = rules.allow.map(\.text)
        narrowed = view.narrowed.map { $0.map(\.text) }
        limits = Limits(
            connections: rules.connections, bandwidthBytes: rules.bandwidth?.bytes, dailyBytes: rules.daily?.bytes)
        tenantLimits = Limits(
            connections: rules.tenantConnections, bandwidthBytes: rules.tenantBandwidth?.bytes,
            dailyBytes: rules.tenantDaily?.bytes)
        days = view.days.map {
            Day(day: $0.day, sentBytes: $0.sent, receivedBytes: $0.received, connections: $0.connections)
        }
        refusals = view.refusals.map {
            Refusal(
                target: $0.target, reason: $0.reason, detail: $0.detail, count: $0.count, firstAt: $0.firstAt,
                lastAt: $0.lastAt)
        }
    }
}
