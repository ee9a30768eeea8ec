//! What the suite's modules share: messages, events, a service, and how they say what they do.

use core::fmt;

use helix_runtime::prelude::*;

/// A pair of numbers.
#[helix_message]
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The first.
    pub x: i32,
    /// The second.
    pub y: i32,
}

/// There is no room.
#[helix_message]
#[derive(Debug, Clone, PartialEq)]
pub struct Full {
    /// How much there is.
    pub room: u64,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is room for {} only", self.room)
    }
}

/// A contract with a method of each kind.
#[helix_service("geometry")]
pub trait Geometry {
    /// Shared, and cannot fail.
    fn mirror(&self, point: Point) -> Point;
    /// Alone, and may fail.
    fn grow(&mut self, by: u64) -> Result<u64, Full>;
}

/// An event of a topic that has two.
#[helix_message]
#[derive(Debug, Clone, PartialEq, EventType)]
#[event(topic = "net", name = "net.packet")]
pub struct Packet {
    /// Tells it from others.
    pub number: u64,
}

/// The other one.
#[helix_message]
#[derive(Debug, Clone, PartialEq, EventType)]
#[event(topic = "net", name = "net.link")]
pub struct Link {
    /// How many packets whoever hears it is to send.
    pub packets: u64,
}

/// The topic under which modules say what they do.
pub const SAYS: &str = "conformance.says";

/// A line of what a module says: bytes, which are the same in every placement.
pub fn line(name: &str, what: impl fmt::Display) -> Event {
    Event::from(Custom::new(SAYS, format!("{name}: {what}")))
}

/// Says what a module does, to whoever listens.
pub fn say(ctx: &Context, what: impl fmt::Display) {
    let heard = ctx.publish(&line(ctx.name(), what));
    debug_assert!(heard.first_error.is_none(), "{heard:?}");
}

/// Waits in the middle of a handler until the case lets it go on; see `stage.rs`.
pub fn wait_at(gate: &str, ctx: &Context) -> Result<(), ModuleError> {
    match ctx.request(gate, Request::new("pass"))? {
        Response::Error(error) => Err(error.into()),
        _ => Ok(()),
    }
}

/// Does what the configuration says of that step: `init` fails in it, `panic-init` panics.
pub fn obey(fail: Option<&str>, step: &str) -> Result<(), ModuleError> {
    match fail {
        Some(fail) if fail == step => Err(ModuleError::new("told to fail")),
        Some(fail) if fail.strip_prefix("panic-") == Some(step) => panic!("told to panic"),
        _ => Ok(()),
    }
}

/// A module that says each step of its life, and fails in the one that its configuration names.
#[macro_export]
macro_rules! staged {
    ($(#[$doc:meta])* $ident:ident ($($options:tt)*)) => {
        use helix_runtime::prelude::*;

        $(#[$doc])*
        #[helix_module($($options)*)]
        #[derive(Default)]
        pub struct $ident {
            /// The step that fails.
            #[config]
            fail: Option<String>,
            calls: u64,
        }

        #[helix_handlers]
        impl $ident {
            #[on_init]
            fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
                self.step("init", ctx)
            }
            #[on_start]
            fn start(&mut self, ctx: &Context) -> Result<(), ModuleError> {
                self.step("start", ctx)
            }
            #[on_stop]
            fn stop(&mut self, ctx: &Context) -> Result<(), ModuleError> {
                self.step("stop", ctx)
            }
            #[on_health]
            fn health(&self) -> bool {
                $crate::contract::obey(self.fail.as_deref(), "health").is_ok()
            }
            #[on_event(ModuleLoaded)]
            fn loaded(&self, loaded: &ModuleLoaded, ctx: &Context) {
                $crate::contract::say(ctx, format_args!("hears of {}", loaded.name));
            }
            /// Counts the calls of this instance.
            #[on_request]
            fn calls(&mut self) -> u64 {
                self.calls += 1;
                self.calls
            }
            #[on_request]
            fn crash(&self, why: String) -> u64 {
                panic!("{why}")
            }
        }

        impl $ident {
            fn step(&mut self, step: &str, ctx: &Context) -> Result<(), ModuleError> {
                $crate::contract::say(ctx, step);
                $crate::contract::obey(self.fail.as_deref(), step)
            }
        }
    };
}

/// A module that passes a call on to the first of a path, which passes it on to the next.
#[macro_export]
macro_rules! relay {
    ($(#[$doc:meta])* $ident:ident ($($options:tt)*)) => {
        use helix_runtime::prelude::*;

        $(#[$doc])*
        #[helix_module($($options)*)]
        #[derive(Default)]
        pub struct $ident {
            calls: u64,
        }

        #[helix_handlers]
        impl $ident {
            /// How many calls it took.
            #[on_request]
            fn pass(&mut self, path: Vec<String>, ctx: &Context) -> Result<u64, ModuleError> {
                self.calls += 1;
                $crate::contract::pass_on("pass", path, ctx)
            }
            /// The same, side by side with others.
            #[on_request]
            fn share(&self, path: Vec<String>, ctx: &Context) -> Result<u64, ModuleError> {
                $crate::contract::pass_on("share", path, ctx)
            }
            /// Waits at a gate with the module in its hands, then passes on.
            #[on_request]
            fn meet(&mut self, gate: String, path: Vec<String>, ctx: &Context) -> Result<u64, ModuleError> {
                $crate::contract::wait_at(&gate, ctx)?;
                $crate::contract::pass_on("pass", path, ctx)
            }
            #[on_event(Tick)]
            fn tick(&mut self) {
                self.calls += 1;
            }
            #[on_request]
            fn calls(&self) -> u64 {
                self.calls
            }
        }
    };
}

/// Calls the first of a path with the rest of it.
pub fn pass_on(request: &str, path: Vec<String>, ctx: &Context) -> Result<u64, ModuleError> {
    match path.split_first() {
        None => Ok(0),
        Some((next, rest)) => Ok(1 + ctx.call::<(Vec<String>,), u64>(&format!("{next}.{request}"), (rest.to_vec(),))?),
    }
}

/// What a counter answers, in every version.
#[helix_service("counting")]
pub trait Counting {
    /// How much was counted.
    fn count(&self) -> u64;
}

/// What the first version of the counter saves.
#[helix_message]
#[derive(Debug, Clone, PartialEq)]
pub struct CountV1 {
    /// How much was counted.
    pub count: u32,
}

/// What the second one saves.
#[helix_message]
#[derive(Debug, Clone, PartialEq)]
pub struct CountV2 {
    /// How much was counted.
    pub count: u64,
    /// How often the state has come from another version.
    pub moves: u64,
}

/// What needs the counter, and asks it by a client that it keeps.
#[macro_export]
macro_rules! reader {
    ($(#[$doc:meta])* $ident:ident ($($options:tt)*)) => {
        use helix_conformance::contract::{CountingClient, say};
        use helix_runtime::prelude::*;

        $(#[$doc])*
        #[helix_module($($options)*)]
        #[derive(Default)]
        pub struct $ident {
            counting: Option<CountingClient>,
            reads: u64,
        }

        #[helix_handlers]
        impl $ident {
            #[on_init]
            fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
                say(ctx, "init");
                self.counting = Some(ctx.service()?);
                Ok(())
            }
            /// Asks the guard whether it may, if there is one.
            #[on_start]
            fn start(&self, ctx: &Context) -> Result<(), ModuleError> {
                say(ctx, "start");
                match ctx.request("guard", Request::new("may_i")) {
                    Ok(Response::Rejected(why)) => Err(why.into()),
                    _ => Ok(()),
                }
            }
            #[on_stop]
            fn stop(&self, ctx: &Context) {
                say(ctx, "stop");
            }
            /// How often this instance has read, and what it read.
            #[on_request]
            fn read(&mut self) -> Result<(u64, u64), ModuleError> {
                self.reads += 1;
                Ok((self.reads, self.counting.as_ref().ok_or("not initialized")?.count()?))
            }
        }
    };
}
