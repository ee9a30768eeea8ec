//! What must come of each act and step.

use helix_runtime::ModuleState::{Failed, Running, Stopped};

use crate::beings::{Being, Hearing, Kept, Letter, Share};
use crate::life::{NAMES, SHUTDOWN};
use crate::real::Who;
use crate::right::Right;
use crate::step::{Act, ENDPOINTS, Outcome, Script, Step, To, Topic, Which};

impl Right {
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
            Step::Poll(s) => self.poll(*s),
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
            if let Err(error) = self.start(*module) {
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

    fn poll(&mut self, s: u64) -> String {
        self.now += s;
        let is_endpoint = |being: &&Being| matches!(being.who, Who::Endpoint(_));
        let (last, first): (Vec<_>, Vec<_>) = self.live.iter().partition(is_endpoint);
        let slots: Vec<usize> = first.into_iter().chain(last).map(|being| being.slot).collect();
        let (mut redelivered, mut dropped, mut asked, mut expired, mut transitions) = (0, 0, 0, 0, 0);
        for slot in &slots {
            for kept in [Kept::Busy, Kept::Deferred, Kept::Busy] {
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
