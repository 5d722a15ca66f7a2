//! Deviations of deployed chargers that the car accepts, as data.

session::quirks! {
    PLAIN_OK {
        id: "plain-ok",
        bends: "SessionSetupRes with OK instead of OK_NewSessionEstablished opens a session",
        needed_by: "ABB Terra, early pyPLC",
        default: true,
    }
    NOT_READY_FINISHED {
        id: "not-ready-finished",
        bends: "CableCheckRes Finished with another status than Ready passes, as long as the isolation is Valid \
                or Warning",
        needed_by: "pyPLC as a charger",
        default: true,
    }
    INVALID_IN_LOOP {
        id: "invalid-in-loop",
        bends: "isolation Invalid after a good isolation test is logged and tolerated",
        needed_by: "programs that leave the field as it was before the test",
        default: true,
    }
    RELAXED_TIMERS {
        id: "relaxed-timers",
        bends: "the times as configured, up to the field's; without it none is longer than the standard's",
        needed_by: "Compleo, ABB, people with cards",
        default: true,
    }
    UNTOLD_ISOLATION {
        id: "untold-isolation",
        bends: "a CableCheckRes Finished without any isolation status passes like Warning; off, because then nobody \
                has said that the isolation is good",
        needed_by: "pyPLC as a charger: it leaves the field out",
        default: false,
    }
    NO_SCHEMA_ID {
        id: "no-schema-id",
        bends: "a handshake answer that agrees without a SchemaID means the protocol that was offered, where only one was",
        needed_by: "chargers that leave the optional field out; with one protocol offered it says nothing new",
        default: true,
    }
}
