//! What a program does: its steps, and what a handler does that is told to.

use helix_runtime::{EventTopic, MessagePriority};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::modules::{Link, Packet};

/// What is published.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum What {
    Tick,
    Created,
    Exited,
    Packet,
    OwnedPacket,
    Link,
    PacketAsBytes,
    Noise,
}

/// What is listened to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Topic {
    Tick,
    Process,
    Module,
    Packet,
    Link,
    Named(&'static str),
    All,
}

impl Topic {
    pub fn real(self) -> EventTopic {
        match self {
            Self::Tick => EventTopic::Tick,
            Self::Process => EventTopic::Process,
            Self::Module => EventTopic::Module,
            Self::Packet => EventTopic::of::<Packet>(),
            Self::Link => EventTopic::of::<Link>(),
            Self::Named(name) => EventTopic::Custom(name.into()),
            Self::All => EventTopic::All,
        }
    }
}

/// How a handler ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    Handled,
    Ignored,
    Deferred,
    Error,
    Panic,
}

/// What a handler does the first `times` that it is called; later it just handles.
#[derive(Debug, Clone)]
pub struct Script {
    pub times: u8,
    pub acts: Vec<Act>,
    pub outcome: Outcome,
}

/// Which subscription: counted from the first that was ever asked for, around and around.
#[derive(Debug, Clone, Copy)]
pub enum Which {
    Own,
    Nth(u8),
}

/// Whom a request is for.
#[derive(Debug, Clone, Copy)]
pub enum To {
    Name(&'static str),
    Number(u64),
    Module(usize),
    Service(&'static str),
}

/// What can be done from anywhere.
#[derive(Debug, Clone)]
pub enum Act {
    Publish(What),
    Subscribe { topics: Vec<Topic>, priority: i16, script: Script },
    Unsubscribe(Which),
    Pause(Which),
    Resume(Which),
    PauseAll,
    ResumeAll,
    Ask(To),
    Queue { to: To, priority: MessagePriority, timeout: Option<u64>, reply: Vec<Act> },
    Process(To),
    Stop(usize),
    Start(usize),
    Remove(usize),
    Replace(usize),
}

/// What is done from outside.
#[derive(Debug, Clone)]
pub enum Step {
    Act(Act),
    /// What the handlers of a module do from now on.
    Teach(usize, Script),
    Register(usize, Script),
    Unregister(usize),
    Add(usize),
    Poll(u64),
    StopAll,
    StartAll,
}

/// Closures that answer: their numbers and names. The last name is a module's.
pub const ENDPOINTS: [(u64, &str); 4] = [(101, "one"), (102, "two"), (101, "three"), (103, "alpha")];

fn what() -> impl Strategy<Value = What> {
    use What::*;
    select(vec![Tick, Tick, Created, Exited, Packet, Packet, OwnedPacket, Link, Link, PacketAsBytes, Noise])
}

fn topic() -> impl Strategy<Value = Topic> {
    use Topic::*;
    let named = ["net", "net.packet", "net.link", "process.exited", "tick", "noise", "elsewhere", "Bad name"];
    let mut all = vec![Tick, Tick, Process, Module, Packet, Link, All];
    all.extend(named.map(Named));
    select(all)
}

fn outcome() -> impl Strategy<Value = Outcome> {
    use Outcome::*;
    select(vec![Handled, Handled, Handled, Ignored, Deferred, Deferred, Error, Panic])
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![1 => Just(Which::Own), 3 => (0..12_u8).prop_map(Which::Nth)]
}

fn to() -> impl Strategy<Value = To> {
    use To::*;
    let names = ["alpha", "alpha", "alpha", "beta", "gamma", "helper", "one", "two", "three", "nobody"].map(Name);
    let others = [Number(101), Number(102), Number(999), Module(0), Module(1), Service("helper"), Service("none")];
    select(names.into_iter().chain(others).collect::<Vec<_>>())
}

fn priority() -> impl Strategy<Value = MessagePriority> {
    use MessagePriority::*;
    select(vec![Low, Normal, Normal, Normal, High, Critical])
}

fn script(act: impl Strategy<Value = Act>) -> impl Strategy<Value = Script> {
    (1..6_u8, vec(act, 0..4), outcome()).prop_map(|(times, acts, outcome)| Script { times, acts, outcome })
}

fn act(depth: u32) -> BoxedStrategy<Act> {
    let leaf = || {
        prop_oneof![
            6 => what().prop_map(Act::Publish),
            2 => which().prop_map(Act::Unsubscribe),
            2 => which().prop_map(Act::Pause),
            2 => which().prop_map(Act::Resume),
            4 => to().prop_map(Act::Ask),
            2 => to().prop_map(Act::Process),
        ]
    };
    let rare = prop_oneof![
        1 => Just(Act::PauseAll),
        2 => Just(Act::ResumeAll),
        2 => (0..3_usize).prop_map(Act::Stop),
        3 => (0..3_usize).prop_map(Act::Start),
        1 => (0..3_usize).prop_map(Act::Remove),
        2 => (0..3_usize).prop_map(Act::Replace),
    ];
    if depth == 0 {
        return leaf().boxed();
    }
    let subscribe = (vec(topic(), 0..4), select(vec![-100, 0, 0, 0, 7, 100, 200]), script(act(depth - 1)))
        .prop_map(|(topics, priority, script)| Act::Subscribe { topics, priority, script });
    let queue = (to(), priority(), option::of(1..30_u64), vec(act(depth - 1), 0..2))
        .prop_map(|(to, priority, timeout, reply)| Act::Queue { to, priority, timeout, reply });
    prop_oneof![9 => leaf(), 3 => rare, 5 => subscribe, 4 => queue].boxed()
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => act(2).prop_map(Step::Act),
        4 => (0..3_usize, script(act(1))).prop_map(|(module, script)| Step::Teach(module, script)),
        2 => (0..ENDPOINTS.len(), script(act(1))).prop_map(|(at, script)| Step::Register(at, script)),
        1 => (0..ENDPOINTS.len()).prop_map(Step::Unregister),
        1 => (0..3_usize).prop_map(Step::Add),
        4 => (0..20_u64).prop_map(Step::Poll),
        1 => prop_oneof![Just(Step::StopAll), Just(Step::StartAll), Just(Step::StartAll)],
    ]
}

pub fn program() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..32)
}
