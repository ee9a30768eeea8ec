//! What must come of each act and step: who comes, who goes, and who is told.

use helix_runtime::ModuleState::{self, Failed, Registered, Running, Stopped};

use crate::real::Who;
use crate::right::{Being, Heard, Hearing, Kept, Letter, Published, Right, Share};
use crate::step::{Act, ENDPOINTS, Outcome, Script, Step, To, Topic, Which};

const NAMES: [&str; 3] = ["alpha", "beta", "gamma"];
const LOADED: Published = Published("module", "module.loaded", true);
const UNLOADED: Published = Published("module", "module.unloaded", true);
const RELOADED: Published = Published("module", "module.reloaded", true);
const SHUTDOWN: Published = Published("shutdown", "shutdown", true);

fn hearings(module: usize) -> Vec<Hearing> {
    let hearing = |heard, priority, how, share| Hearing { heard, priority, how, share };
    let (packet, freely) = (Heard::Type("net.packet"), Share::Freely);
    match module {
        0 => vec![
            hearing(Heard::Type("tick"), 100, "tick", Share::Alone),
            hearing(Heard::Named("net"), 0, "net", Share::Alone),
        ],
        1 => vec![
            hearing(Heard::Type("tick"), 0, "tick", freely),
            hearing(Heard::Named("process"), 0, "process", freely),
            hearing(packet, -100, "net.packet", freely),
            hearing(Heard::Type("module.loaded"), 0, "module", freely),
        ],
        _ => vec![
            hearing(packet, 200, "net.packet", Share::Looking),
            hearing(Heard::Named("net.link"), 0, "net.link", Share::Alone),
            hearing(Heard::All, -200, "all", Share::Looking),
        ],
    }
}

impl Right {
    pub fn begun() -> Self {
        let mut right = Self::default();
        (0..3).for_each(|module| right.register(module));
        right.step(&Step::StartAll);
        right
    }

    fn appear(&mut self, who: Who, name: &'static str, hearings: Vec<Hearing>) -> &mut Being {
        let (uid, slot) = self.next;
        self.next = (uid + 1, slot + 1);
        let counts = vec![(0, 0); hearings.len()];
        let state = if matches!(who, Who::Module(_)) { Registered } else { Running };
        let being = Being {
            uid,
            slot,
            who,
            name,
            state,
            hearings,
            counts,
            number: None,
            open: true,
            owner: None,
            paused: false,
            kept: 0,
            waits: false,
        };
        self.live.push(being);
        self.names_changed();
        self.live.last_mut().unwrap()
    }

    fn register(&mut self, module: usize) {
        self.appear(Who::Module(module), NAMES[module], hearings(module));
    }

    fn module(&mut self, module: usize) -> Option<&mut Being> {
        self.live.iter_mut().find(|being| being.who == Who::Module(module))
    }

    fn state(&mut self, module: usize) -> Option<ModuleState> {
        self.module(module).map(|being| being.state)
    }

    /// Those that are there, in the order in which they start.
    fn order(&self) -> Vec<usize> {
        let there: Vec<usize> = self
            .live
            .iter()
            .filter_map(|being| match being.who {
                Who::Module(module) => Some(module),
                _ => None,
            })
            .collect();
        let first = |module: &usize| there.iter().position(|other| other == module);
        let (alpha, gamma) = (first(&0), first(&2));
        match (alpha, gamma) {
            // Among those that are ready the first in the list comes next; `gamma` is not before `alpha` has come.
            (Some(alpha), Some(gamma)) if gamma < alpha => {
                let mut order = there;
                order.remove(gamma);
                order.insert(alpha, 2);
                order
            }
            _ => there,
        }
    }

    fn is_orphaned(&mut self) -> bool {
        self.state(2).is_some() && self.state(0).is_none()
    }

    pub fn set_closures(&mut self, owner: usize, open: bool) {
        self.live.iter_mut().filter(|being| being.owner == Some(owner)).for_each(|being| being.open = open);
    }

    fn start_one(&mut self, module: usize) -> Result<(), String> {
        let being = self.module(module).unwrap();
        let (uid, state) = (being.uid, being.state);
        if !matches!(state, Registered | Stopped) {
            return Err(format!("start: {} is {state}", NAMES[module]));
        }
        for step in ["init", "start"].into_iter().skip(usize::from(state == Stopped)) {
            if self.is_too_deep() {
                self.module(module).unwrap().state = Failed;
                return Err(format!("on_{step}: TooDeep"));
            }
            self.note(format!("{} {step}", NAMES[module]));
        }
        let being = self.module(module).unwrap();
        (being.state, being.waits) = (Running, false);
        self.set_closures(uid, true);
        for other in self.order() {
            if other != module && self.state(other) == Some(Running) {
                self.publish_to(LOADED, Some(uid));
            }
        }
        self.publish_to(LOADED, None);
        Ok(())
    }

    fn stop_one(&mut self, module: usize) -> Result<(), String> {
        let Some(being) = self.module(module).filter(|being| being.state == Running) else { return Ok(()) };
        let (uid, kept) = (being.uid, being.kept);
        if self.is_inside(uid) {
            return Err("on_stop: Busy".into());
        }
        let deep = self.is_too_deep();
        self.module(module).unwrap().state = if deep { Failed } else { Stopped };
        if !deep {
            self.note(match module {
                1 => "beta stop".into(),
                _ => format!("{} stop after {kept}", NAMES[module]),
            });
        }
        self.set_closures(uid, false);
        self.publish_to(UNLOADED, None);
        if deep { Err("on_stop: TooDeep".into()) } else { Ok(()) }
    }

    /// Nobody needs it who runs.
    fn may_go(&mut self, module: usize, step: &str) -> Result<(), String> {
        match module == 0 && self.state(2) == Some(Running) {
            true => Err(format!("{step}: Needed by gamma")),
            false => Ok(()),
        }
    }

    fn vanish(&mut self, module: usize) {
        let being = self.module(module).unwrap();
        let (uid, slot) = (being.uid, being.slot);
        self.live.retain(|being| being.uid != uid && being.owner != Some(uid));
        self.close(slot);
    }

    /// Tells those whose letters wait for one who has gone.
    fn close(&mut self, slot: usize) {
        self.moving = false;
        let letters = std::mem::take(&mut self.box_of(slot).letters);
        letters.into_iter().for_each(|letter| self.reply(letter.serial, "Closed".into()));
    }

    /// One transition at a time.
    fn moved(&mut self, step: &str, run: impl FnOnce(&mut Self) -> Result<&'static str, String>) -> String {
        if self.moving {
            return format!("{step}: Moving");
        }
        self.moving = true;
        let result = run(self);
        self.moving = false;
        result.map_or_else(|error| error, Into::into)
    }

    fn start(&mut self, module: usize) -> Result<&'static str, String> {
        if module == 2 && self.is_orphaned() {
            return Err("start: Unfit".into());
        }
        if module == 2
            && let Some(state) = self.state(0).filter(|state| *state != Running)
        {
            return Err(format!("start: alpha is {state}"));
        }
        self.start_one(module).map(|()| "()")
    }

    fn stop(&mut self, module: usize) -> Result<&'static str, String> {
        self.may_go(module, "stop")?;
        self.module(module).unwrap().waits = false;
        self.stop_one(module).map(|()| "()")
    }

    fn remove(&mut self, module: usize) -> Result<&'static str, String> {
        self.may_go(module, "remove")?;
        let being = self.module(module).unwrap();
        let (uid, slot) = (being.uid, being.slot);
        if self.is_inside(uid) {
            self.postponed.push_back((true, slot));
            return Ok("Postponed");
        }
        let stopped = self.stop_one(module);
        self.vanish(module);
        stopped.map(|()| "Done")
    }

    fn replace(&mut self, module: usize) -> Result<&'static str, String> {
        let being = self.module(module).unwrap();
        let (slot, state) = (being.slot, being.state);
        if !matches!(state, Running | Failed) {
            return Err(format!("replace: {} is {state}", NAMES[module]));
        }
        if self.is_orphaned() {
            return Err("replace: Unfit".into());
        }
        let mut turns = vec![module];
        turns.extend((module == 0 && self.state(2) == Some(Running)).then_some(2));
        let uids: Vec<usize> = turns.iter().map(|module| self.module(*module).unwrap().uid).collect();
        if uids.iter().any(|uid| self.is_inside(*uid)) {
            self.postponed.push_back((false, slot));
            return Ok("Postponed");
        }
        if self.is_too_deep() {
            return Err("on_init: TooDeep".into());
        }
        turns.iter().for_each(|module| self.note(format!("{} init", NAMES[*module])));
        for module in turns.iter().rev() {
            let being = self.module(*module).unwrap();
            let (ran, kept) = (being.state == Running, being.kept);
            if ran {
                self.note(match module {
                    1 => "beta stop".into(),
                    _ => format!("{} stop after {kept}", NAMES[*module]),
                });
            }
        }
        turns.iter().for_each(|module| self.note(format!("{} start", NAMES[*module])));
        for (module, uid) in turns.iter().zip(&uids) {
            self.live.retain(|being| being.owner != Some(*uid));
            let next = self.next.0;
            self.next.0 += 1;
            let being = self.module(*module).unwrap();
            // Only `alpha` keeps something.
            being.kept = if *module == 0 && being.state == Running { being.kept } else { 0 };
            (being.uid, being.state, being.waits) = (next, Running, false);
            being.counts.fill((0, 0));
        }
        for module in &turns {
            let slot = self.module(*module).unwrap().slot;
            self.drain(slot, Kept::Busy);
        }
        self.moving = false;
        turns.iter().for_each(|_| {
            self.publish_to(RELOADED, None);
        });
        Ok("Done")
    }

    fn add(&mut self, module: usize) -> Result<&'static str, String> {
        if self.live.iter().any(|being| matches!(being.who, Who::Endpoint(_)) && being.name == NAMES[module]) {
            return Err("add: Taken".into());
        }
        let missing = matches!(module, 2) || (module == 1 && self.state(2).is_some());
        if self.state(module).is_some() || (missing && self.state(0).is_none()) {
            return Err("add: Unfit".into());
        }
        self.register(module);
        if !self.started {
            return Ok("()");
        }
        let started = self.start(module);
        if started.is_err() {
            self.vanish(module);
        }
        started
    }

    fn set_paused(&mut self, slot: usize, paused: bool) -> String {
        let Some(being) = self.live.iter_mut().find(|being| being.slot == slot) else {
            return "NotSubscribed".into();
        };
        being.paused = paused;
        self.names_changed();
        "ok".into()
    }

    fn chosen(&self, which: Which, who: Who) -> Option<usize> {
        let nth = match (which, who) {
            (Which::Own, Who::Listener(nth)) => nth,
            (Which::Own, _) => 0,
            (Which::Nth(nth), _) => usize::from(nth) % self.subscriptions.len().max(1),
        };
        self.subscriptions.get(nth).copied().flatten()
    }

    fn subscribe(&mut self, topics: &[Topic], priority: i16, script: &Script, owner: Option<usize>) -> String {
        let serial = self.subscriptions.len();
        self.scripts.insert(Who::Listener(serial), script.clone());
        self.subscriptions.push(None);
        if topics.contains(&Topic::Named("Bad name")) {
            return "BadName".into();
        }
        let hearing = |topic: &Topic| Hearing { heard: (*topic).into(), priority, how: "topic", share: Share::Freely };
        let open = owner.is_none_or(|owner| self.being(owner).is_some_and(|owner| owner.state == Running));
        let being = self.appear(Who::Listener(serial), "sub", topics.iter().map(hearing).collect());
        (being.owner, being.open) = (owner, open);
        let slot = being.slot;
        self.subscriptions[serial] = Some(slot);
        "ok".into()
    }

    pub fn perform(&mut self, act: &Act, who: Who, uid: usize) {
        let there = |right: &mut Self, module: usize| right.state(module).is_some();
        let result = match act {
            Act::Publish(what) => self.publish(what.event()).line(),
            Act::Subscribe { topics, priority, script } => {
                let owner = matches!(who, Who::Module(_)).then_some(uid);
                self.subscribe(topics, *priority, script, owner)
            }
            Act::Unsubscribe(which) => match self.chosen(*which, who) {
                None => "none".into(),
                Some(slot) if !self.live.iter().any(|being| being.slot == slot) => "NotSubscribed".into(),
                Some(slot) => {
                    self.live.retain(|being| being.slot != slot);
                    "ok".into()
                }
            },
            Act::Pause(which) => self.chosen(*which, who).map_or("none".into(), |slot| self.set_paused(slot, true)),
            Act::Resume(which) => self.chosen(*which, who).map_or("none".into(), |slot| self.set_paused(slot, false)),
            Act::PauseAll | Act::ResumeAll => {
                self.paused = matches!(act, Act::PauseAll);
                "ok".into()
            }
            Act::Ask(to) => match self.target(*to).map(|(name, _)| name) {
                None => "ModuleNotFound".into(),
                Some(name) => {
                    let from = self.caller();
                    self.call(name, from, &[]).unwrap_or("Busy".into())
                }
            },
            Act::Queue { to, priority, timeout, reply } => {
                let serial = self.letters;
                self.letters += 1;
                let script = Script { times: 1, acts: reply.clone(), outcome: Outcome::Handled };
                self.scripts.insert(Who::Letter(serial), script);
                let (from, since) = (self.caller(), self.now);
                match self.target(*to).map(|(name, being)| (name, being.slot)) {
                    None => "ModuleNotFound".into(),
                    Some((to, slot)) => {
                        let deadline = timeout.map(|timeout| since + timeout);
                        self.post(slot, to, Letter { serial, to, from, priority: *priority, since, deadline })
                    }
                }
            }
            Act::Process(to) => match self.target(*to).map(|(_, being)| being.slot) {
                None => "ModuleNotFound".into(),
                Some(slot) => {
                    self.expire(slot);
                    format!("{} asked", self.ask_letters(slot))
                }
            },
            Act::Stop(at) if there(self, *at) => self.moved("stop", |right| right.stop(*at)),
            Act::Start(at) if there(self, *at) => self.moved("start", |right| right.start(*at)),
            Act::Remove(at) if there(self, *at) => self.moved("remove", |right| right.remove(*at)),
            Act::Replace(at) if there(self, *at) => self.moved("replace", |right| right.replace(*at)),
            Act::Stop(_) | Act::Start(_) | Act::Remove(_) | Act::Replace(_) => "none".into(),
        };
        self.note(format!("= {result}"));
    }

    pub fn step(&mut self, step: &Step) {
        let result = match step {
            Step::Act(act) => return self.perform(act, Who::Outside, usize::MAX),
            Step::Teach(module, script) => {
                self.scripts.insert(Who::Module(*module), script.clone());
                "ok".into()
            }
            Step::Register(at, script) => self.answer_as(ENDPOINTS[*at], script),
            Step::Unregister(at) => match self.target(To::Number(ENDPOINTS[*at].0)).map(|(_, being)| being.slot) {
                None => "ModuleNotFound".into(),
                Some(slot) => {
                    self.live.retain(|being| being.slot != slot);
                    self.close(slot);
                    "ok".into()
                }
            },
            Step::Add(at) => self.moved("add", |right| right.add(*at)),
            Step::Poll(ms) => self.poll(*ms),
            Step::StopAll => self.moved("stop", |right| {
                right.started = false;
                right.publish_to(SHUTDOWN, None);
                for module in right.order().into_iter().rev() {
                    right.module(module).unwrap().waits = false;
                    right.stop_one(module)?;
                }
                Ok("()")
            }),
            Step::StartAll => self.moved("start", Self::start_all),
        };
        self.note(format!("= {result}"));
    }

    fn start_all(&mut self) -> Result<&'static str, String> {
        if self.is_orphaned() {
            return Err("start: Unfit".into());
        }
        let order = self.order();
        for (place, module) in order.iter().enumerate() {
            if let Err(error) = self.start_one(*module) {
                for before in order[..place].iter().rev() {
                    let _ = self.stop_one(*before);
                }
                return Err(error);
            }
        }
        self.started = true;
        Ok("()")
    }

    fn answer_as(&mut self, (number, name): (u64, &'static str), script: &Script) -> String {
        let serial = self.endpoints;
        self.endpoints += 1;
        self.scripts.insert(Who::Endpoint(serial), script.clone());
        if self.target(To::Number(number)).is_some() || self.target(To::Name(name)).is_some() {
            return "Taken".into();
        }
        self.appear(Who::Endpoint(serial), name, Vec::new()).number = Some(number);
        "ok".into()
    }

    fn poll(&mut self, ms: u64) -> String {
        self.now += ms;
        let is_endpoint = |being: &&Being| matches!(being.who, Who::Endpoint(_));
        let (last, first): (Vec<_>, Vec<_>) = self.live.iter().partition(is_endpoint);
        let slots: Vec<usize> = first.into_iter().chain(last).map(|being| being.slot).collect();
        let (mut redelivered, mut dropped, mut asked, mut expired, mut transitions) = (0, 0, 0, 0, 0);
        for slot in &slots {
            for kept in [Kept::Busy, Kept::Deferred] {
                let (delivered, gone) = self.drain(*slot, kept);
                redelivered += delivered;
                dropped += gone;
            }
        }
        for slot in slots {
            expired += self.expire(slot);
            asked += self.ask_letters(slot);
        }
        for _ in 0..self.postponed.len() {
            let Some((remove, slot)) = self.postponed.pop_front() else { break };
            let module = self.live.iter().find(|being| being.slot == slot).map(|being| being.who);
            if let Some(Who::Module(module)) = module {
                let result = match remove {
                    true => self.moved("remove", |right| right.remove(module)),
                    false => self.moved("replace", |right| right.replace(module)),
                };
                transitions += u32::from(result == "Done");
            }
        }
        self.supervise();
        format!(
            "{redelivered} redelivered, {dropped} dropped, {asked} asked, {expired} expired, {transitions} transitions"
        )
    }

    /// Who needs what has failed is stopped, and started again when it is back.
    fn supervise(&mut self) {
        if !self.started {
            return;
        }
        self.moving = true;
        if self.state(0) == Some(Failed) && self.state(2) == Some(Running) {
            let _ = self.stop_one(2);
            let gamma = self.module(2).unwrap();
            gamma.waits = gamma.state == Stopped;
        }
        if self.module(2).is_some_and(|gamma| gamma.waits) && self.state(0) == Some(Running) {
            let _ = self.start_one(2);
        }
        self.moving = false;
    }

    /// What the runtime must say of itself.
    pub fn stats(&mut self) -> Vec<String> {
        let mut told: Vec<String> = self.published.iter().map(|(name, times)| format!("{name}: {times}")).collect();
        told.push(format!("unnamed: {}", self.unnamed));
        for being in &self.live {
            for (hearing, (calls, failures)) in being.hearings.iter().zip(&being.counts) {
                told.push(format!("{} by {}: {calls} {failures}", being.name, hearing.heard.name()));
            }
        }
        let answering = self.live.iter().filter(|being| !matches!(being.who, Who::Listener(_)));
        for (slot, name) in answering.map(|being| (being.slot, being.name)).collect::<Vec<_>>() {
            let waiting = self.box_of(slot);
            let numbers = [waiting.queued, waiting.refused, waiting.expired, waiting.dropped];
            let (wait, capacity) = (waiting.letters.len(), crate::MAILBOX);
            told.push(format!("{name}: {wait} of {capacity} wait, {numbers:?}"));
        }
        for module in self.order() {
            let state = self.state(module).unwrap();
            told.push(format!("{} is {state}", NAMES[module]));
        }
        told
    }
}
