/// Remembers under which number each client id was accepted, for the newest `capacity` of them.
struct ClientIDIndex {
    private struct Key: Hashable {
        var sender: String
        var clientID: String
    }

    private let capacity: Int
    private var numbers: [Key: UInt64] = [:]
    private var order: [Key] = []
    private var oldest = 0

    init(capacity: Int) { self.capacity = max(capacity, 1) }

    func number(of clientID: String, from sender: String) -> UInt64? {
        numbers[Key(sender: sender, clientID: clientID)]
    }

    mutating func insert(_ clientID: String, from sender: String, number: UInt64) {
        let key = Key(sender: sender, clientID: clientID)
        guard numbers.updateValue(number, forKey: key) == nil else { return }
        if order.count < capacity {
            order.append(key)
        } else {
            numbers[order[oldest]] = nil
            order[oldest] = key
            oldest = (oldest + 1) % capacity
        }
    }
}
