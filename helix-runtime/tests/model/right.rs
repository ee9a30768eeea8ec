//! What must happen, said a second time as plainly as can be: who listens, who is inside whom, and what waits for whom.

use std::collections::{BTreeMap, HashMap, VecDeque};

use helix_runtime::ModuleState;

use crate::beings::{Being, Frame, Heard, Hearing, Kept, Letter, Published, Share, Told, Waiting};
use crate::real::Who;
use crate::step::{Outcome, Script, To};
use crate::{DEPTH, MAILBOX, RING};

#[derive(PartialEq)]
enum Enter {
    Inside,
    Busy,
    NotRunning,
}

#[derive(PartialEq)]
enum Again {
    Delivered,
    Gone,
    Later,
}

/// All that there is.
#[derive(Default)]
pub struct Right {
    pub trace: Vec<String>,
    pub scripts: HashMap<Who, Script>,
    /// In the order of registration.
    pub live: Vec<Being>,
    pub waiting: BTreeMap<usize, Waiting>,
    pub subscriptions: Vec<Option<usize>>,
    pub published: BTreeMap<&'static str, usize>,
    pub unnamed: usize,
    pub chain: Vec<Frame>,
    pub next: (usize, usize),
    pub endpoints: usize,
    pub letters: usize,
    pub paused: bool,
    pub moving: bool,
    pub started: bool,
    pub now: u64,
    pub postponed: VecDeque<(bool, usize)>,
}

impl Right {
    pub fn note(&mut self, line: String) {
        self.trace.push(line);
    }

    pub fn being(&mut self, uid: usize) -> Option<&mut Being> {
        self.live.iter_mut().find(|being| being.uid == uid)
    }

    pub fn box_of(&mut self, slot: usize) -> &mut Waiting {
        self.waiting.entry(slot).or_default()
    }

    pub fn is_too_deep(&self) -> bool {
        self.chain.len() >= DEPTH
    }

    pub fn is_inside(&self, uid: usize) -> bool {
        self.chain.iter().any(|frame| frame.holds.is_some_and(|(held, ..)| held == uid))
    }

    /// Who asks: the innermost that is called.
    pub fn caller(&self) -> &'static str {
        self.chain.last().and_then(|frame| frame.holds).map_or("", |(.., name)| name)
    }

    /// Every name that somebody listens to is counted from then on.
    pub fn names_changed(&mut self) {
        for being in self.live.iter().filter(|being| !being.paused) {
            for hearing in being.hearings.iter().filter(|hearing| hearing.heard != Heard::All) {
                self.published.entry(hearing.heard.name()).or_default();
            }
        }
    }

    /// Who hears an event, in order: whose handler it is, and which.
    fn listeners(&self, event: Published) -> Vec<(usize, usize, usize)> {
        let mut found = Vec::new();
        for being in self.live.iter().filter(|being| !being.paused) {
            let hears = being.hearings.iter().enumerate().filter(|(_, hearing)| hearing.heard.hears(event));
            let most = if matches!(being.who, Who::Listener(_)) { 1 } else { usize::MAX };
            found.extend(hears.take(most).map(|(at, hearing)| (hearing.priority, being.slot, being.uid, at)));
        }
        found.sort_by_key(|(priority, slot, _, at)| (-priority, *slot, *at));
        found.into_iter().map(|(_, slot, uid, at)| (slot, uid, at)).collect()
    }

    fn count(&mut self, event: Published) {
        let Published(topic, name, typed) = event;
        let hearings = || self.live.iter().filter(|being| !being.paused).flat_map(|being| &being.hearings);
        let named = |heard| hearings().any(|hearing| hearing.heard == heard);
        let under = match () {
            () if typed && named(Heard::Type(name)) => Some(name),
            () if named(Heard::Named(topic)) => Some(topic),
            () if named(Heard::Named(name)) => Some(name),
            () => None,
        };
        match under {
            Some(name) => *self.published.entry(name).or_default() += 1,
            None => self.unnamed += 1,
        }
    }

    fn enter(&mut self, uid: usize, share: Share) -> Enter {
        if !self.being(uid).is_some_and(|being| being.state == ModuleState::Running && being.open && !being.paused) {
            return Enter::NotRunning;
        }
        let outer = &self.chain[..self.chain.len() - 1];
        match outer.iter().find_map(|frame| frame.holds.filter(|(held, ..)| *held == uid)) {
            Some((_, Share::Alone, _)) => Enter::Busy,
            Some((_, Share::Looking, _)) if share == Share::Alone => Enter::Busy,
            _ => Enter::Inside,
        }
    }

    pub fn publish(&mut self, event: Published) -> Told {
        if self.paused {
            return Told { paused: true, ..Told::default() };
        }
        self.publish_to(event, None)
    }

    /// To all who listen, or to one of them alone.
    pub fn publish_to(&mut self, event: Published, only: Option<usize>) -> Told {
        let mut told = Told::default();
        if self.is_too_deep() {
            told.fail("helix", "TooDeep");
            return told;
        }
        self.count(event);
        let all = self.listeners(event);
        self.chain.push(Frame::default());
        for (place, &(slot, first, at)) in all.iter().enumerate() {
            if only.is_some_and(|only| only != first) {
                continue;
            }
            let nth = all[..place].iter().filter(|(other, ..)| *other == slot).count();
            self.deliver(event, (slot, first, at), nth, &mut told);
        }
        self.chain.pop();
        told
    }

    fn deliver(
        &mut self,
        event: Published,
        (slot, mut uid, mut at): (usize, usize, usize),
        nth: usize,
        told: &mut Told,
    ) {
        loop {
            let share = self.being(uid).map_or(Share::Freely, |being| being.hearings[at].share);
            match self.enter(uid, share) {
                Enter::Inside => {
                    self.hear(uid, at, event, nth, told);
                    return self.leave(slot);
                }
                Enter::Busy => {
                    if self.put_aside(slot, Kept::Busy, event, nth) {
                        told.queued += 1;
                    } else {
                        told.dropped += 1;
                    }
                    return;
                }
                // Whoever has taken its place since hears it instead.
                Enter::NotRunning => {
                    let now = self.listeners(event).into_iter().filter(|(other, ..)| *other == slot).nth(nth);
                    match now {
                        Some((_, next, hearing)) if next != uid => (uid, at) = (next, hearing),
                        _ => return,
                    }
                }
            }
        }
    }

    fn put_aside(&mut self, slot: usize, kept: Kept, event: Published, nth: usize) -> bool {
        let waiting = self.ring(slot, kept);
        let room = waiting.len() < RING;
        if room {
            waiting.push_back((event, nth));
        }
        room
    }

    fn ring(&mut self, slot: usize, kept: Kept) -> &mut VecDeque<(Published, usize)> {
        let waiting = self.box_of(slot);
        match kept {
            Kept::Busy => &mut waiting.busy,
            Kept::Deferred => &mut waiting.deferred,
        }
    }

    fn hear(&mut self, uid: usize, at: usize, event: Published, nth: usize, told: &mut Told) {
        let being = self.being(uid).unwrap();
        let (who, name, slot, Hearing { how, share, .. }) = (being.who, being.name, being.slot, being.hearings[at]);
        being.kept += u64::from(share == Share::Alone);
        self.chain.last_mut().unwrap().holds = Some((uid, share, name));
        self.note(format!("{who:?} hears {} by {how}", event.1));
        let outcome = self.turn(who, uid);
        if let Some(being) = self.being(uid) {
            being.counts[at].0 += 1;
            being.counts[at].1 += u32::from(matches!(outcome, Outcome::Error | Outcome::Panic));
        }
        match outcome {
            Outcome::Handled => told.handled += 1,
            Outcome::Ignored => told.ignored += 1,
            Outcome::Deferred if self.put_aside(slot, Kept::Deferred, event, nth) => told.deferred += 1,
            Outcome::Deferred => told.dropped += 1,
            Outcome::Error => told.fail(name, "told to fail"),
            Outcome::Panic => {
                self.crash(uid);
                told.fail(name, &format!("module `{name}` panicked: told to panic"));
            }
        }
    }

    fn crash(&mut self, uid: usize) {
        if let Some(being) = self.being(uid) {
            being.state = ModuleState::Failed;
        }
        self.set_closures(uid, false);
        self.publish_to(Published("module", "module.crashed", true), None);
    }

    /// What was put aside for a module meanwhile comes when it is released.
    fn leave(&mut self, slot: usize) {
        if !self.ring(slot, Kept::Busy).is_empty() {
            self.chain.last_mut().unwrap().holds = None;
            self.drain(slot, Kept::Busy);
        }
    }

    /// Delivers what waits now, and what a busy module is told meanwhile, as deeply as calls go. How many were delivered,
    /// and for how many nobody was there.
    pub fn drain(&mut self, slot: usize, kept: Kept) -> (u32, u32) {
        let (mut delivered, mut gone) = (0, 0);
        for _ in 0..if kept == Kept::Busy { DEPTH } else { 1 } {
            for _ in 0..self.ring(slot, kept).len() {
                let Some((event, nth)) = self.ring(slot, kept).pop_front() else { break };
                match self.redeliver(slot, event, nth) {
                    Again::Delivered => delivered += 1,
                    Again::Gone => gone += 1,
                    Again::Later => {
                        self.ring(slot, kept).push_front((event, nth));
                        return (delivered, gone);
                    }
                }
            }
        }
        (delivered, gone)
    }

    fn redeliver(&mut self, slot: usize, event: Published, nth: usize) -> Again {
        if self.is_too_deep() {
            return Again::Later;
        }
        let listener = self.listeners(event).into_iter().filter(|(other, ..)| *other == slot).nth(nth);
        let Some((_, uid, at)) = listener else { return Again::Gone };
        let share = self.being(uid).unwrap().hearings[at].share;
        self.chain.push(Frame::default());
        let again = match self.enter(uid, share) {
            Enter::Inside => {
                self.hear(uid, at, event, nth, &mut Told::default());
                Again::Delivered
            }
            Enter::Busy => Again::Later,
            Enter::NotRunning => Again::Gone,
        };
        self.chain.pop();
        again
    }

    /// What a handler does this time.
    pub fn turn(&mut self, who: Who, uid: usize) -> Outcome {
        let script = self.scripts.get_mut(&who).and_then(|script| {
            script.times = script.times.checked_sub(1)?;
            Some(script.clone())
        });
        let Some(script) = script else { return Outcome::Handled };
        for act in &script.acts {
            self.perform(act, who, uid);
        }
        script.outcome
    }

    /// Whom an address means, and under which name.
    pub fn target(&self, to: To) -> Option<(&'static str, &Being)> {
        let module = |name: &str| self.live.iter().find(|it| matches!(it.who, Who::Module(_)) && it.name == name);
        let closure = |name: &str| self.live.iter().find(|it| matches!(it.who, Who::Endpoint(_)) && it.name == name);
        match to {
            To::Name("helper") => Some(("helper", module("beta")?)),
            To::Name(name) => Some((name, module(name).or_else(|| closure(name))?)),
            To::Service("helper") => Some(("beta", module("beta")?)),
            To::Service(_) => None,
            To::Module(at) => self.live.iter().find(|it| it.who == Who::Module(at)).map(|it| (it.name, it)),
            To::Number(number) => self.live.iter().find(|it| it.number == Some(number)).map(|it| (it.name, it)),
        }
    }

    /// A request. None when its target is busy.
    pub fn call(&mut self, name: &'static str, from: &'static str, payload: &[u8]) -> Option<String> {
        let Some((_, being)) = self.target(To::Name(name)) else { return Some("ModuleNotFound".into()) };
        let (uid, slot, who, name, state) = (being.uid, being.slot, being.who, being.name, being.state);
        if self.is_too_deep() {
            return Some("TooDeep".into());
        }
        let share = match who {
            Who::Module(0) => Share::Alone,
            Who::Module(2) => Share::Looking,
            _ => Share::Freely,
        };
        self.chain.push(Frame::default());
        let entered = self.enter(uid, share);
        if entered != Enter::Inside {
            self.chain.pop();
            return (entered == Enter::NotRunning).then(|| format!("module `{name}` is {state}, not running"));
        }
        self.chain.last_mut().unwrap().holds = Some((uid, share, name));
        self.note(format!("{who:?} is asked by `{from}`"));
        let answer = match self.turn(who, uid) {
            Outcome::Handled => format!("Success({payload:?})"),
            Outcome::Ignored => "NotSupported".into(),
            Outcome::Deferred => "Rejected(\"later\")".into(),
            Outcome::Error if matches!(who, Who::Endpoint(_)) => "Error(\"told to fail\")".into(),
            Outcome::Error => "Failed: told to fail".into(),
            Outcome::Panic => {
                self.crash(uid);
                format!("Failed: module `{name}` panicked: told to panic")
            }
        };
        self.leave(slot);
        self.chain.pop();
        Some(answer)
    }

    /// Puts a letter behind those of its priority.
    pub fn post(&mut self, slot: usize, to: &'static str, letter: Letter) -> String {
        let waiting = self.box_of(slot);
        if waiting.letters.len() >= MAILBOX {
            waiting.refused += 1;
            return format!("the mailbox of `{to}` is full: it holds {MAILBOX}; send less, or again later");
        }
        waiting.queued += 1;
        let place = waiting.letters.iter().position(|other| other.priority < letter.priority);
        waiting.letters.insert(place.unwrap_or(waiting.letters.len()), letter);
        "ok".into()
    }

    pub fn expire(&mut self, slot: usize) -> usize {
        let now = self.now;
        let waiting = self.box_of(slot);
        let late = |letter: &mut Letter| letter.deadline.is_some_and(|deadline| deadline <= now);
        let late: Vec<Letter> = waiting.letters.extract_if(.., late).collect();
        waiting.expired += late.len() as u32;
        for letter in &late {
            self.reply(letter.serial, format!("{}: no answer after {}", letter.to, seconds(now - letter.since)));
        }
        late.len()
    }

    pub fn ask_letters(&mut self, slot: usize) -> usize {
        let most = self.box_of(slot).letters.len();
        for asked in 0..most {
            let letters = &mut self.box_of(slot).letters;
            if letters.is_empty() {
                return asked;
            }
            let letter = letters.remove(0);
            match self.call(letter.to, letter.from, &[letter.serial as u8]) {
                Some(answer) => self.reply(letter.serial, answer),
                None => {
                    let letters = &mut self.box_of(slot).letters;
                    let place = letters.iter().position(|other| other.priority <= letter.priority);
                    letters.insert(place.unwrap_or(letters.len()), letter);
                    return asked;
                }
            }
        }
        most
    }

    pub fn reply(&mut self, serial: usize, answer: String) {
        self.note(format!("letter {serial}: {answer}"));
        self.turn(Who::Letter(serial), usize::MAX);
    }
}

fn seconds(s: u64) -> String {
    format!("{:?}", std::time::Duration::from_secs(s))
}
