import Foundation

/// How often a fault is tried: a few times in `make test`, hundreds of times in `make faults`.
enum Rounds {
    /// For each victim.
    static let count = ProcessInfo.processInfo.environment["ROOKERY_FAULT_ROUNDS"].flatMap(Int.init) ?? 2
    static let isFull = count > 10
    /// Who is killed at random moments: everybody, or those named in `ROOKERY_FAULT_VICTIMS` (`worker,claude`).
    static let victims = named("ROOKERY_FAULT_VICTIMS")?.compactMap(Victim.init(rawValue:)) ?? Victim.allCases

    private static func named(_ variable: String) -> [String]? {
        ProcessInfo.processInfo.environment[variable]?.split(separator: ",").map(String.init)
    }
}

/// Numbers that a failure can be repeated with: the seed is printed with it.
struct Dice: RandomNumberGenerator {
    let seed: UInt64
    private var state: UInt64

    init(seed: UInt64 = UInt64.random(in: 1...9999)) {
        self.seed = seed
        state = seed
    }

    /// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
