import Testing

@testable import Worker

@Suite struct ChannelDeliveryTests {
    private typealias Delivery = ChannelDelivery

    /// As long as may be, in steps of a quarter of a second; what came of it, and after how many seconds.
    private func wait(
        _ delivery: inout Delivery, isQuiet: Bool = true, most: Double = 60
    ) -> (outputs: [Delivery.Output], seconds: Double) {
        var seconds = 0.0
        while seconds < most {
            seconds += 0.25
            let outputs = delivery.handle(.passed(seconds: 0.25, isQuiet: isQuiet))
            if !outputs.isEmpty { return (outputs, seconds) }
        }
        return ([], seconds)
    }

    private func opened() -> Delivery {
        var delivery = Delivery()
        _ = delivery.handle(.opened)
        return delivery
    }

    private func taking() -> Delivery {
        var delivery = opened()
        _ = delivery.send("a")
        _ = delivery.handle(.taken(["a"], joins: false))
        return delivery
    }

    @Test func onlyAnOpenStreamAndAProgramAtRestAreTried() {
        var delivery = Delivery()
        #expect(!delivery.takes(isFirst: true))
        _ = delivery.handle(.opened)
        #expect(delivery.takes(isFirst: true))
        #expect(!delivery.takes(isFirst: false))
        _ = delivery.handle(.closed)
        #expect(!delivery.takes(isFirst: true))
    }

    @Test func whatIsTakenIsDoneAndTheNextGoesEvenToABusyProgram() {
        var delivery = opened()
        let ping = delivery.send("a")
        #expect(delivery.holdsBack)
        #expect(!delivery.takes(isFirst: true))
        #expect(delivery.handle(.answered(ping: ping)) == [])
        #expect(delivery.holdsBack, "nothing shows yet that it takes them")
        #expect(delivery.handle(.taken(["a"], joins: false)) == [.stands(.taken), .done(["a"], joins: false)])
        #expect(!delivery.holdsBack && !delivery.isWaiting)
        #expect(delivery.takes(isFirst: false))
        let next = delivery.send("b")
        #expect(delivery.holdsBack)
        _ = delivery.handle(.answered(ping: next))
        #expect(!delivery.holdsBack, "it reads in order, and takes what it reads")
        #expect(delivery.handle(.taken(["b"], joins: false)) == [.done(["b"], joins: false)])
    }

    @Test func whatWasReadAndComesToNothingFallsBackOnce() {
        var delivery = opened()
        let ping = delivery.send("a")
        _ = delivery.handle(.answered(ping: ping))
        let end = wait(&delivery)
        #expect(end.outputs == [.stands(.refused), .fallBack("a")])
        #expect(end.seconds == Delivery.quietLimit)
        #expect(wait(&delivery).outputs == [])
        #expect(delivery.handle(.taken(["a"], joins: false)) == [], "it was given up")
        #expect(!delivery.takes(isFirst: true))
        _ = delivery.handle(.closed)
        _ = delivery.handle(.opened)
        #expect(!delivery.takes(isFirst: true), "not again with the same program")
    }

    @Test func aProgramThatDoesNotReadIsWaitedForLonger() {
        var delivery = opened()
        _ = delivery.send("a")
        #expect(wait(&delivery, isQuiet: false, most: 3600).outputs == [], "what runs may keep it from reading")
        let end = wait(&delivery)
        #expect(end.outputs == [.stands(.refused), .fallBack("a")])
        #expect(end.seconds == Delivery.readLimit)
    }

    @Test func aStreamThatClosesLeavesTheTimeToShowWhatWasRead() {
        var delivery = opened()
        _ = delivery.send("a")
        _ = wait(&delivery, most: 2)
        _ = delivery.handle(.closed)
        let end = wait(&delivery)
        #expect(end.outputs == [.stands(.refused), .fallBack("a")])
        #expect(end.seconds == Delivery.quietLimit)

        // Another that opens will not have it either.
        var again = opened()
        _ = again.send("a")
        _ = again.handle(.closed)
        _ = again.handle(.opened)
        #expect(again.holdsBack && !again.takes(isFirst: true))
        #expect(wait(&again).seconds == Delivery.quietLimit)

        var late = opened()
        _ = late.send("a")
        _ = late.handle(.closed)
        _ = wait(&late, most: 3)
        #expect(late.handle(.taken(["a"], joins: false)) == [.stands(.taken), .done(["a"], joins: false)])
        #expect(!late.takes(isFirst: true), "nobody listens")
    }

    @Test func timeInWhichSomethingRunsIsNotQuiet() {
        var delivery = taking()
        let ping = delivery.send("b")
        _ = delivery.handle(.answered(ping: ping))
        #expect(wait(&delivery, isQuiet: false, most: 3600).outputs == [])
        _ = wait(&delivery, most: 4.5)
        _ = delivery.handle(.passed(seconds: 0.25, isQuiet: false))
        #expect(wait(&delivery, most: 4.75).outputs == [])
        #expect(delivery.handle(.taken(["b"], joins: false)) == [.done(["b"], joins: false)])
    }

    @Test func whatWaitsInTheProgramIsNotGivenAgainWhileItIsBusy() {
        var delivery = taking()
        _ = delivery.send("b")
        #expect(delivery.handle(.queued("b")) == [])
        #expect(!delivery.holdsBack)
        #expect(wait(&delivery, isQuiet: false, most: 3600).outputs == [])
        // It is at rest and has thrown it away.
        #expect(wait(&delivery).outputs == [.stands(.refused), .fallBack("b")])
    }

    @Test func thatAPromptWaitsInItShowsThatItTakesThem() {
        var delivery = opened()
        _ = delivery.send("a")
        #expect(delivery.handle(.queued("a")) == [.stands(.taken)])
    }

    @Test func anAnswerIsToEverythingBeforeIt() {
        var delivery = taking()
        _ = delivery.send("b")
        let last = delivery.send("c")
        _ = delivery.handle(.answered(ping: last))
        #expect(!delivery.holdsBack)
        #expect(wait(&delivery).outputs == [.stands(.refused), .fallBack("b"), .fallBack("c")])
    }

    @Test func severalMayBeTakenTogether() {
        var delivery = taking()
        for id in ["b", "c", "d"] { _ = delivery.send(id) }
        #expect(delivery.handle(.taken(["b", "x", "c"], joins: false)) == [.done(["b", "c"], joins: false)])
        #expect(delivery.holdsBack)
    }

    @Test func nobodyElsesWordsMeanAnything() {
        var delivery = opened()
        _ = delivery.send("a")
        #expect(delivery.handle(.taken(["x"], joins: false)) == [])
        #expect(delivery.handle(.queued("x")) == [])
        #expect(delivery.handle(.answered(ping: 0)) == [])
        #expect(delivery.holdsBack)
    }

    @Test func thereIsABoundToWhatIsUnderWay() {
        var delivery = taking()
        for number in 0..<Delivery.most { _ = delivery.send("\(number)") }
        #expect(!delivery.takes(isFirst: false))
    }
}
