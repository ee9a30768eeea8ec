//! What the model is made of: events, who hears them, and what waits.

use std::collections::VecDeque;

use helix_runtime::{MessagePriority, ModuleState};

use crate::real::Who;
use crate::step::{Topic, What};

/// An event: its topic, its name, and whether it is of the type of that name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Published(pub &'static str, pub &'static str, pub bool);

impl What {
    pub fn event(self) -> Published {
        match self {
            Self::Tick => Published("tick", "tick", true),
            Self::Created => Published("process", "process.created", true),
            Self::Exited => Published("process", "process.exited", true),
            Self::Packet | Self::OwnedPacket => Published("net", "net.packet", true),
            Self::Link => Published("net", "net.link", true),
            Self::PacketAsBytes => Published("net.packet", "net.packet", false),
            Self::Noise => Published("noise", "noise", false),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Heard {
    Type(&'static str),
    Named(&'static str),
    All,
}

impl Heard {
    pub fn hears(self, Published(topic, name, typed): Published) -> bool {
        match self {
            Self::Type(heard) => typed && heard == name,
            Self::Named(heard) => heard == topic || heard == name,
            Self::All => true,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Type(name) | Self::Named(name) => name,
            Self::All => "all",
        }
    }
}

impl From<Topic> for Heard {
    fn from(topic: Topic) -> Self {
        match topic {
            Topic::Tick => Self::Type("tick"),
            Topic::Packet => Self::Type("net.packet"),
            Topic::Link => Self::Type("net.link"),
            Topic::Process => Self::Named("process"),
            Topic::Module => Self::Named("module"),
            Topic::Named(name) => Self::Named(name),
            Topic::All => Self::All,
        }
    }
}

/// How a call shares its module with the calls that led to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Share {
    Freely,
    Looking,
    Alone,
}

#[derive(Debug, Clone, Copy)]
pub struct Hearing {
    pub heard: Heard,
    pub priority: i16,
    pub how: &'static str,
    pub share: Share,
}

/// Whoever can be called: a module, a closure that listens, or one that answers.
#[derive(Debug, Clone)]
pub struct Being {
    /// Another for each instance.
    pub uid: usize,
    /// The same for each instance of a module.
    pub slot: usize,
    pub who: Who,
    pub name: &'static str,
    pub number: Option<u64>,
    pub state: ModuleState,
    /// Whether its owner runs.
    pub open: bool,
    pub owner: Option<usize>,
    pub paused: bool,
    pub hearings: Vec<Hearing>,
    pub counts: Vec<(u32, u32)>,
    pub kept: u64,
    pub waits: bool,
}

#[derive(Debug)]
pub struct Letter {
    pub serial: usize,
    pub to: &'static str,
    pub from: &'static str,
    pub priority: MessagePriority,
    pub since: u64,
    pub deadline: Option<u64>,
}

#[derive(Debug, Default)]
pub struct Waiting {
    pub busy: VecDeque<(Published, usize)>,
    pub deferred: VecDeque<(Published, usize)>,
    /// In the order in which they are asked.
    pub letters: Vec<Letter>,
    pub queued: u32,
    pub refused: u32,
    pub expired: u32,
    pub dropped: u32,
}

#[derive(Debug, Default)]
pub struct Frame {
    pub holds: Option<(usize, Share, &'static str)>,
}

#[derive(Debug, Default)]
pub struct Told {
    pub handled: u32,
    pub ignored: u32,
    pub deferred: u32,
    pub queued: u32,
    pub failed: u32,
    pub dropped: u32,
    pub paused: bool,
    pub first: String,
}

impl Told {
    pub fn fail(&mut self, who: &str, why: &str) {
        self.failed += 1;
        if self.first.is_empty() {
            self.first = format!(" {who}: {why}");
        }
    }

    pub fn line(&self) -> String {
        let Self { handled, ignored, deferred, queued, failed, dropped, paused, first } = self;
        format!("h{handled} i{ignored} d{deferred} q{queued} f{failed} x{dropped} p{}{first}", u8::from(*paused))
    }
}

#[derive(Clone, Copy, PartialEq)]
pub enum Kept {
    Busy,
    Deferred,
}
