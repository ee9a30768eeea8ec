//! The suite's modules. Each file is the whole source of a module crate.

use helix_runtime::Module;

use crate::Part;

macro_rules! parts {
    ($($source:ident::$ident:ident $name:ident,)*) => { $(
        #[allow(missing_docs)]
        pub mod $source;
        #[doc = concat!("`modules/", stringify!($source), ".rs`.")]
        pub const $name: Part =
            Part { source: stringify!($source), linked: <$source::$ident as Module>::DESCRIPTOR };
    )* };
}

parts! {
    a::A A,
    app::App APP,
    b::B B,
    c::C C,
    caller::Caller CALLER,
    configured::Configured CONFIGURED,
    counter_careless::CounterCareless COUNTER_CARELESS,
    counter_mute::CounterMute COUNTER_MUTE,
    counter_unmade::CounterUnmade COUNTER_UNMADE,
    counter_v1::CounterV1 COUNTER_V1,
    counter_v2::CounterV2 COUNTER_V2,
    db::Db DB,
    early::Early EARLY,
    echo::Echo ECHO,
    extra::Extra EXTRA,
    first::First FIRST,
    friend::Friend FRIEND,
    guarded::Guarded GUARDED,
    kernel::Kernel KERNEL,
    late::Late LATE,
    later::Later LATER,
    ledger::Ledger LEDGER,
    log::Log LOG,
    nurse::Nurse NURSE,
    patient::Patient PATIENT,
    reader::Reader READER,
    rival::Rival RIVAL,
    second::Second SECOND,
    server::Server SERVER,
    sniffer::Sniffer SNIFFER,
    subscriber::Subscriber SUBSCRIBER,
    troubled::Troubled TROUBLED,
    tuner::Tuner TUNER,
    unmade::Unmade UNMADE,
}
