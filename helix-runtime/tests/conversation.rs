//! Conversations with a process against a model of them: whatever a process says, in whatever order, the host answers as the model
//! does, and what the process has of it is what the model says.
#![allow(missing_docs)]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, Weak};

use helix_runtime::boundary::{self, Act, Asks, Export, Near, Process, Spawn, Turn};
use helix_runtime::prelude::*;
use helix_runtime::{Descriptor, Module, Runtime, Supervision, modules};
use proptest::prelude::*;

/// Lives in the process.
#[helix_module(name = "guest")]
#[derive(Default)]
pub struct Guest {
    #[config(default = "")]
    motto: String,
}

#[helix_handlers]
impl Guest {
    #[on_request]
    fn number(&mut self) -> u64 {
        self.motto.len() as u64
    }
}

/// Is called from there.
#[helix_module(name = "friend")]
#[derive(Default)]
pub struct Friend;

#[helix_handlers]
impl Friend {
    #[on_request]
    fn double(&self, number: u64) -> u64 {
        number * 2
    }

    #[on_request]
    fn hidden(&self) {}

    #[on_request]
    fn back(&self, ctx: &Context) -> Result<u64, ModuleError> {
        Ok(ctx.call::<(), u64>("guest.number", ())?)
    }
}

/// What the process says next. Numbers that it names are the nth that it was given, or none if it was given fewer.
#[derive(Debug, Clone)]
enum Say {
    Config { known: bool },
    Publish { hosts: bool },
    Subscribe,
    Unsubscribe { nth: usize },
    Resolve { target: Target },
    Call { nth: usize },
    Garbage,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Target {
    Double,
    Hidden,
    Back,
    Nobody,
}

impl Target {
    fn request(self) -> &'static str {
        match self {
            Self::Double => "double",
            Self::Hidden => "hidden",
            Self::Back => "back",
            Self::Nobody => "nothing",
        }
    }
}

/// What the host answers, by the kind of its message.
#[derive(Debug, PartialEq)]
enum Answer {
    Done,
    Text(Option<String>),
    Number,
    Reply(Vec<u8>),
    /// How many have handled it, and how many failed.
    Published(u8, u8),
    Failed,
}

/// What the process has, as the model keeps it.
#[derive(Debug, Default)]
struct Model {
    subscriptions: Vec<(u32, bool)>,
    routes: Vec<(u32, Target)>,
}

impl Model {
    fn live(&self) -> u8 {
        self.subscriptions.iter().filter(|(_, live)| *live).count() as u8
    }

    /// The message, and what is answered; nothing where it is none.
    fn say(&mut self, say: &Say) -> (Vec<u8>, Option<Answer>) {
        fn bytes(value: &impl serde::Serialize) -> Vec<u8> {
            postcard::to_allocvec(value).unwrap()
        }
        match *say {
            Say::Config { known } => {
                let (key, value) = if known { ("motto", Some("onwards".into())) } else { ("nothing", None) };
                (bytes(&(1_u32, key)), Some(Answer::Text(value)))
            }
            Say::Publish { hosts } => {
                let name = if hosts { "module.crashed" } else { "guest.says" };
                let answer = if hosts { Answer::Published(0, 1) } else { Answer::Published(self.live(), 0) };
                (bytes(&(2_u32, name, name, 0_u32, "")), Some(answer))
            }
            Say::Subscribe => {
                let closure = self.subscriptions.len() as u64;
                // One topic: by its name.
                (bytes(&(3_u32, "ear", 1_u32, 1_u32, "guest.says", 0_i16, closure, true)), Some(Answer::Number))
            }
            Say::Unsubscribe { nth } => {
                let found = self.subscriptions.get_mut(nth);
                let was_live = found.as_ref().is_some_and(|(_, live)| *live);
                let id = found.map_or(u32::MAX, |(id, live)| {
                    *live = false;
                    *id
                });
                (bytes(&(4_u32, id)), Some(if was_live { Answer::Done } else { Answer::Failed }))
            }
            Say::Resolve { target } => {
                let answer = if target == Target::Nobody { Answer::Failed } else { Answer::Number };
                (bytes(&(5_u32, "friend", target.request())), Some(answer))
            }
            Say::Call { nth } => {
                let (route, target) = self.routes.get(nth).copied().unwrap_or((u32::MAX, Target::Nobody));
                let answer = match target {
                    Target::Double => Answer::Reply(vec![42]),
                    // It is not granted, it comes back to a module that is busy, or nobody has given that number.
                    Target::Hidden | Target::Back | Target::Nobody => Answer::Failed,
                };
                let args: &[u8] = if target == Target::Double { &[21] } else { &[] };
                let call = (7_u32, route, target.request(), None::<()>, args.len() as u8);
                ([bytes(&call), args.to_vec()].concat(), Some(answer))
            }
            Say::Garbage => (vec![99], None),
        }
    }

    /// Takes note of a number that was given.
    fn given(&mut self, say: &Say, number: u32) {
        match *say {
            Say::Subscribe => self.subscriptions.push((number, true)),
            Say::Resolve { target } => self.routes.push((number, target)),
            _ => {}
        }
    }
}

fn answer_of(bytes: &[u8]) -> (Answer, u32) {
    let rest = &bytes[1..];
    let number = || postcard::from_bytes::<u32>(rest).unwrap();
    match bytes[0] {
        0 => (Answer::Done, 0),
        1 => (Answer::Text(postcard::from_bytes(rest).unwrap()), 0),
        2 => (Answer::Number, number()),
        3 => (Answer::Reply(rest[1..].to_vec()), 0),
        5 => (Answer::Published(rest[0], rest[4]), 0),
        6 => (Answer::Failed, 0),
        other => panic!("{other} is no answer to anything that was asked"),
    }
}

/// A process that says what it is told to, and compares what comes back.
#[derive(Debug, Default)]
struct Actor {
    script: Mutex<Option<Vec<Say>>>,
    model: Mutex<Model>,
}

#[derive(Debug)]
struct Actors(Arc<Actor>);

impl Spawn for Actors {
    fn spawn(&self, _: Weak<dyn Asks>) -> Result<Arc<dyn Process>, ModuleError> {
        Ok(self.0.clone())
    }
}

impl Process for Actor {
    fn converse(&self, _: &[u8], said: &mut dyn FnMut(&[u8], &mut Vec<u8>) -> Turn) -> Result<(), ModuleError> {
        // What comes while it is in a conversation is done at once: an event that it hears itself.
        let script = self.script.lock().unwrap().take().unwrap_or_default();
        for say in script {
            let (message, expected) = self.model.lock().unwrap().say(&say);
            let mut answer = Vec::new();
            let turn = said(&message, &mut answer);
            let Some(expected) = expected else {
                assert_eq!(turn, Turn::Garbage, "{say:?}");
                return Err(ModuleError::Crashed {
                    module: "guest".into(),
                    cause: "it speaks another language".into(),
                });
            };
            assert_eq!(turn, Turn::Answer, "{say:?}");
            let (found, number) = answer_of(&answer);
            assert_eq!(found, expected, "{say:?}");
            if found == Answer::Number {
                self.model.lock().unwrap().given(&say, number);
            }
        }
        // It is done, with the number 7.
        assert_eq!(said(&[0, 0, 1, 7, 0], &mut Vec::new()), Turn::End);
        Ok(())
    }

    fn may(&self, act: Act<'_>) -> bool {
        act != Act::Call { target: "friend", request: "hidden" }
    }
}

fn adopted() -> &'static Descriptor {
    static ADOPTED: std::sync::OnceLock<&'static Descriptor> = std::sync::OnceLock::new();
    ADOPTED.get_or_init(|| {
        let export = Box::leak(Box::new(Export::of(Guest::DESCRIPTOR)));
        // SAFETY: it is of this program, and stays.
        unsafe { export.adopt() }
    })
}

fn says() -> impl Strategy<Value = Vec<Say>> {
    let target = prop_oneof![Just(Target::Double), Just(Target::Hidden), Just(Target::Back), Just(Target::Nobody)];
    let say = prop_oneof![
        2 => any::<bool>().prop_map(|known| Say::Config { known }),
        4 => any::<bool>().prop_map(|hosts| Say::Publish { hosts }),
        4 => Just(Say::Subscribe),
        3 => (0..6_usize).prop_map(|nth| Say::Unsubscribe { nth }),
        4 => target.prop_map(|target| Say::Resolve { target }),
        5 => (0..6_usize).prop_map(|nth| Say::Call { nth }),
        1 => Just(Say::Garbage),
    ];
    proptest::collection::vec(say, 0..12)
}

/// 256 conversations, or as many as `PROPTEST_CASES` says.
fn config() -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if cfg!(miri) { ProptestConfig { cases: 2, ..config } } else { config }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_host_answers_as_the_model_does(conversations in proptest::collection::vec(says(), 1..6)) {
        let actor = Arc::new(Actor::default());
        let table = Near::new(adopted(), Box::new(|_| None)).table();
        let descriptor = boundary::descriptor(adopted().info, &table, Arc::new(Actors(actor.clone()))).unwrap();
        static CONFIG: &[(&str, &str)] = &[("guest.motto", "onwards")];
        let runtime = Runtime::builder().config(CONFIG).supervision(Supervision::NEVER).modules(modules![Friend, ..]);
        let runtime = runtime.add_descriptor(descriptor).build().unwrap();
        runtime.start().unwrap();
        for script in conversations {
            let ends_well = !script.iter().any(|say| matches!(say, Say::Garbage));
            *actor.script.lock().unwrap() = Some(script);
            let called = runtime.call::<(), u64>("guest.number", ());
            prop_assert_eq!(called.is_ok(), ends_well);
            let names: BTreeSet<u32> = actor.model.lock().unwrap().routes.iter().map(|(route, _)| *route).collect();
            prop_assert!(names.len() <= 3, "a request has one number");
            if !ends_well {
                // It has crashed: nothing of it is called or hears any more.
                prop_assert!(runtime.call::<(), u64>("guest.number", ()).is_err());
                let heard = runtime.publish(&Event::Custom(Custom::new("guest.says", vec![])));
                prop_assert_eq!(heard.handled, 0);
                break;
            }
            let live = actor.model.lock().unwrap().live();
            let heard = runtime.publish(&Event::Custom(Custom::new("guest.says", vec![])));
            prop_assert_eq!(heard.handled, u32::from(live));
        }
    }
}
