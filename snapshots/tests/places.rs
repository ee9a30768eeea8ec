//! Modules where one would not look for them.
#![forbid(unsafe_code)]
#![deny(unexpected_cfgs)]
#![allow(missing_docs)]

use helix_runtime::prelude::*;
use helix_runtime::{Runtime, modules};

#[test]
fn a_module_inside_a_function_runs() {
    const ANSWER: u8 = 42;

    #[helix_message]
    #[derive(Debug, Clone, PartialEq, EventType)]
    struct Local {
        value: u8,
    }

    #[helix_service("answers")]
    trait Answers {
        fn last(&self) -> Local;
    }

    #[helix_module(provides = [Answers])]
    #[derive(Default)]
    struct Inner {
        #[config(default = ANSWER)]
        value: u8,
    }

    #[helix_handlers]
    impl Inner {
        #[on_event(Local)]
        fn local(&mut self, local: &Local) {
            self.value += local.value;
        }
    }

    impl Answers for Inner {
        fn last(&self) -> Local {
            Local { value: self.value }
        }
    }

    let runtime = Runtime::builder().modules(modules![Inner]).build().unwrap();
    runtime.start().unwrap();
    assert!(runtime.publish(&Local { value: 1 }).is_clean());
    assert_eq!(runtime.service::<AnswersClient>().unwrap().last().unwrap(), Local { value: 43 });
}

/// Each kind of fragment that a macro may hand on.
macro_rules! module {
    (
        $(#[$attr:meta])* $vis:vis $name:ident: $title:literal, $config:ident: $config_ty:ty = $default:expr;
        on $event:ty, $priority:expr => $heard:block
        $request:ident($arg:ident: $arg_ty:ty, $text:ident: $text_ty:ty, $ctx:ident: $ctx_ty:ty) -> $reply:ty $body:block
        $($rest:item)*
    ) => {
        #[helix_module(name = $title, new = Self::new)]
        $(#[$attr])*
        $vis struct $name {
            #[config(default = $default)]
            $config: $config_ty,
            heard: u32,
        }

        impl $name {
            fn new() -> Self {
                Self { $config: <$config_ty>::default(), heard: 0 }
            }
            fn hear(&mut self, hear: impl FnOnce(u32) -> u32) {
                self.heard = hear(self.heard);
            }
        }

        #[helix_handlers]
        impl $name {
            #[on_event($event, priority = $priority)]
            $vis fn event(&mut self) $heard
            #[on_request]
            $vis fn $request(&self, $arg: $arg_ty, $text: $text_ty, $ctx: $ctx_ty) -> $reply $body
            #[on_request]
            fn heard(&self) -> u32 {
                self.heard
            }
            #[on_save(version = 1)]
            fn save(&self) -> u32 {
                self.heard
            }
            #[on_restore(version = 1)]
            fn restore(&mut self, heard: u32) {
                self.heard = heard;
            }
        }
        $($rest)*
    };
}

module! {
    /// Made by a macro.
    pub Made: "made", label: String = "abc";
    on Tick, HIGH => {}
    length(times: u32, text: &str, ctx: &Context) -> Result<u32, ModuleError> {
        if ctx.name() == "made" { Ok(times * text.len() as u32) } else { Err("not me".into()) }
    }
    #[helix_message]
    #[derive(Debug, PartialEq)]
    pub struct Wrong(u8);
}

macro_rules! contract {
    ($name:ident $text:literal { $($method:ident($($arg:ident: $ty:ty),*) -> $reply:ty;)* }) => {
        #[helix_service($text)]
        pub trait $name {
            $(fn $method(&self $(, $arg: $ty)*) -> $reply;)*
        }
    };
}

contract! {
    Halves "halves" {
        half(of: u8, name: &str, ctx: &Context) -> Result<u8, Wrong>;
        fails() -> Result<u8, ModuleError>;
        plain(bytes: &[u8]) -> u8;
    }
}

#[helix_module(provides = [Halves])]
#[derive(Default)]
pub struct Halver;

#[helix_handlers]
impl Halver {}

impl Halves for Halver {
    fn half(&self, of: u8, name: &str, ctx: &Context) -> Result<u8, Wrong> {
        assert_eq!(name, ctx.name());
        if of.is_multiple_of(2) { Ok(of / 2) } else { Err(Wrong(of)) }
    }
    fn fails(&self) -> Result<u8, ModuleError> {
        Err("it does".into())
    }
    fn plain(&self, bytes: &[u8]) -> u8 {
        bytes.iter().sum()
    }
}

#[test]
fn a_module_made_by_a_macro_runs() {
    let runtime = Runtime::builder().modules(modules![Made, Halver]).build().unwrap();
    runtime.start().unwrap();
    assert_eq!(runtime.publish(&Tick { timestamp_ns: 0, tick_number: 0 }).handled, 1);
    assert_eq!(runtime.call::<(u32, &str), u32>("made.length", (2, "abc")).unwrap(), 6);
    assert_eq!(runtime.call::<(), u32>("made.heard", ()).unwrap(), 0);
    let halves: HalvesClient = runtime.service().unwrap();
    assert_eq!(halves.half(4, "halver"), Ok(2));
    assert_eq!(halves.half(5, "halver"), Err(CallError::Handler(Wrong(5))));
    assert!(halves.fails().is_err());
    assert_eq!(halves.plain(&[1, 2]), Ok(3));
    let mut made = Made::new();
    made.hear(|heard| heard + 1);
    assert_eq!(made.heard, 1);
    let key = <Made as helix_runtime::Module>::DESCRIPTOR.config().next().unwrap();
    assert_eq!(key.to_string(), "label: String = abc");
}
