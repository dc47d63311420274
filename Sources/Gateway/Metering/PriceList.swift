public import Foundation

/// What models cost. Read from a file, because prices change without a new version of Rookery.
///
/// Money is counted in nano-USD: a price per million tokens in whole millionths of a USD is then exact.
public struct PriceList: Sendable {
    /// nano-USD for one token of each kind; for a web search nano-USD each.
    struct Price: Sendable, Hashable {
        var input, output, cacheRead, cacheWrite5m, cacheWrite1h: Int64
    }

    struct Model: Sendable, Hashable {
        var price: Price
        var webSearch: Int64
        /// For prompts of more tokens than that.
        var long: (above: Int64, price: Price)?

        static func == (left: Model, right: Model) -> Bool { left.price == right.price }
        func hash(into hasher: inout Hasher) { hasher.combine(price) }
    }

    /// The file cannot be used.
    public struct Fault: Error, Sendable, CustomStringConvertible {
        public var description: String
    }

    private let models: [String: Model]
    /// For a model that nobody has priced: as dear as the dearest, so that a budget holds.
    private let dearest: Model

    /// - Throws: ``Fault`` naming the file and what is wrong with it.
    public init(file path: String) throws(Fault) {
        guard let data = FileManager.default.contents(atPath: path), data.count <= 1 << 20 else {
            throw Fault(description: "the price list \(path) cannot be read; name another with --prices")
        }
        do throws(Fault) { try self.init(data) } catch {
            throw Fault(description: "the price list \(path) cannot be used: \(error)")
        }
    }

    public init(_ data: Data) throws(Fault) {
        let document: Document
        do { document = try JSONDecoder().decode(Document.self, from: data) } catch {
            throw Fault(description: "it is not a document of models and prices: \(error)")
        }
        var models: [String: Model] = [:]
        for (name, entry) in document.models {
            let model = try entry.model(name)
            for key in [name] + (entry.also ?? []) { models[Self.plain(key)] = model }
        }
        guard let dearest = models.values.max(by: { $0.price.output < $1.price.output }) else {
            throw Fault(description: "it has no models")
        }
        self.models = models
        self.dearest = dearest
    }

    /// Whether the model has a price of its own.
    public func knows(_ model: String) -> Bool { found(model) != nil }

    /// What a request costs in nano-USD.
    public func cost(of usage: TokenUsage, model: String) -> Int64 {
        let entry = found(model) ?? dearest
        var price = entry.price
        if let long = entry.long, usage.prompt > long.above { price = long.price }
        return usage.input * price.input + usage.output * price.output + usage.cacheRead * price.cacheRead
            + usage.cacheWrite5m * price.cacheWrite5m + usage.cacheWrite1h * price.cacheWrite1h
            + usage.webSearches * entry.webSearch
    }

    /// By the whole name, or by the name without the date or version at its end.
    private func found(_ model: String) -> Model? {
        var name = Self.plain(model)
        while true {
            if let known = models[name] { return known }
            guard let dash = name.lastIndex(where: { $0 == "-" || $0 == "@" }) else { return nil }
            let end = name[name.index(after: dash)...]
            let isDate = end.count == 8 && end.allSatisfy(\.isNumber)
            let isVersion = end.first == "v" && end.dropFirst().first?.isNumber == true
            guard isDate || isVersion || end == "latest" else { return nil }
            name = String(name[..<dash])
        }
    }

    /// Without the mark of the large context window, which has the same price.
    private static func plain(_ model: String) -> String {
        let lower = model.lowercased()
        return lower.hasSuffix("[1m]") ? String(lower.dropLast(4)) : lower
    }
}

/// The file: USD for a million tokens, USD for a web search.
private struct Document: Decodable {
    struct Long: Decodable {
        var above: Int64
        var input, output, cacheRead, cacheWrite5m, cacheWrite1h: Decimal

        enum CodingKeys: String, CodingKey {
            case above = "above_tokens"
            case input, output
            case cacheRead = "cache_read"
            case cacheWrite5m = "cache_write_5m"
            case cacheWrite1h = "cache_write_1h"
        }
    }

    struct Entry: Decodable {
        var input, output, cacheRead, cacheWrite5m, cacheWrite1h: Decimal
        var webSearch: Decimal?
        var long: Long?
        /// Other names of the same model.
        var also: [String]?

        enum CodingKeys: String, CodingKey {
            case input, output, also
            case cacheRead = "cache_read"
            case cacheWrite5m = "cache_write_5m"
            case cacheWrite1h = "cache_write_1h"
            case webSearch = "web_search"
            case long = "long_prompt"
        }

        func model(_ name: String) throws(PriceList.Fault) -> PriceList.Model {
            func nano(_ usd: Decimal, times factor: Decimal) throws(PriceList.Fault) -> Int64 {
                let value = usd * factor
                let whole = NSDecimalNumber(decimal: value).int64Value
                guard usd >= 0, usd < 100_000, Decimal(whole) == value else {
                    throw PriceList.Fault(description: "'\(name)' has a price of \(usd), which cannot be counted")
                }
                return whole
            }
            func price(
                _ input: Decimal, _ output: Decimal, _ read: Decimal, _ write5m: Decimal, _ write1h: Decimal
            ) throws(PriceList.Fault) -> PriceList.Price {
                PriceList.Price(
                    input: try nano(input, times: 1000), output: try nano(output, times: 1000),
                    cacheRead: try nano(read, times: 1000), cacheWrite5m: try nano(write5m, times: 1000),
                    cacheWrite1h: try nano(write1h, times: 1000))
            }
            var model = PriceList.Model(
                price: try price(input, output, cacheRead, cacheWrite5m, cacheWrite1h),
                webSearch: try nano(webSearch ?? 0, times: 1_000_000_000), long: nil)
            if let long {
                model.long = (
                    long.above,
                    try price(long.input, long.output, long.cacheRead, long.cacheWrite5m, long.cacheWrite1h)
                )
            }
            return model
        }
    }

    var models: [String: Entry]
}
