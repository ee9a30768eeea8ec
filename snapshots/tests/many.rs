//! A module of two hundred handlers.
#![allow(missing_docs)]

use helix_runtime::prelude::*;
use helix_runtime::{Module, Runtime, modules};

macro_rules! many {
    ($(#[$attr:meta])* $vis:vis struct $module:ident; $($request:ident $event:ident)*) => {
        $(#[$attr])*
        $vis struct $module {
            heard: u64,
        }

        #[helix_handlers]
        impl $module {
            $(
                #[on_request]
                fn $request(&self, by: u64, name: &str) -> Result<u64, ModuleError> {
                    Ok(self.heard * by + name.len() as u64)
                }
                #[on_event(Tick)]
                fn $event(&mut self, tick: &Tick) {
                    self.heard += tick.tick_number;
                }
            )*
        }
    };
}

many! {
    #[helix_module]
    #[derive(Default)]
    pub struct Many;
    request_0 event_0 request_1 event_1 request_2 event_2 request_3 event_3 request_4 event_4
    request_5 event_5 request_6 event_6 request_7 event_7 request_8 event_8 request_9 event_9
    request_10 event_10 request_11 event_11 request_12 event_12 request_13 event_13 request_14 event_14
    request_15 event_15 request_16 event_16 request_17 event_17 request_18 event_18 request_19 event_19
    request_20 event_20 request_21 event_21 request_22 event_22 request_23 event_23 request_24 event_24
    request_25 event_25 request_26 event_26 request_27 event_27 request_28 event_28 request_29 event_29
    request_30 event_30 request_31 event_31 request_32 event_32 request_33 event_33 request_34 event_34
    request_35 event_35 request_36 event_36 request_37 event_37 request_38 event_38 request_39 event_39
    request_40 event_40 request_41 event_41 request_42 event_42 request_43 event_43 request_44 event_44
    request_45 event_45 request_46 event_46 request_47 event_47 request_48 event_48 request_49 event_49
    request_50 event_50 request_51 event_51 request_52 event_52 request_53 event_53 request_54 event_54
    request_55 event_55 request_56 event_56 request_57 event_57 request_58 event_58 request_59 event_59
    request_60 event_60 request_61 event_61 request_62 event_62 request_63 event_63 request_64 event_64
    request_65 event_65 request_66 event_66 request_67 event_67 request_68 event_68 request_69 event_69
    request_70 event_70 request_71 event_71 request_72 event_72 request_73 event_73 request_74 event_74
    request_75 event_75 request_76 event_76 request_77 event_77 request_78 event_78 request_79 event_79
    request_80 event_80 request_81 event_81 request_82 event_82 request_83 event_83 request_84 event_84
    request_85 event_85 request_86 event_86 request_87 event_87 request_88 event_88 request_89 event_89
    request_90 event_90 request_91 event_91 request_92 event_92 request_93 event_93 request_94 event_94
    request_95 event_95 request_96 event_96 request_97 event_97 request_98 event_98 request_99 event_99
}

#[test]
fn two_hundred_handlers_are_two_hundred_entries() {
    assert_eq!(Many::DESCRIPTOR.requests().count(), 100);
    let runtime = Runtime::builder().modules(modules![Many]).build().unwrap();
    runtime.start().unwrap();
    assert_eq!(runtime.publish(&Tick { timestamp_ns: 0, tick_number: 2 }).handled, 100);
    assert_eq!(runtime.call::<(u64, &str), u64>("many.request_99", (2, "abc")).unwrap(), 403);
}
