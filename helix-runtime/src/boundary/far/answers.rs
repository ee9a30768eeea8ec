//! What a process asks, and what it is answered: as far as it may, and of numbers that it was given.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::{Act, EARS, Far, FarEar};
use crate::boundary::wire::{self, Bytes, Told, Up};
use crate::boundary::{Answer, Asked, GuestClosure, Outcome, Subscription, Topic, fault, host};
use crate::bus::SubscriptionId;
use crate::codec::Codec;
use crate::error::IpcError;
use crate::event::OF_HOST;
use crate::place::Place;

/// The numbers that a process has been given: others it may not use.
#[derive(Default)]
pub(super) struct Own {
    /// Each with the target and the request that it stands for.
    routes: BTreeMap<u32, (Box<str>, Box<str>)>,
    subscriptions: BTreeSet<u32>,
}

/// How many of each it can have.
const MOST_OWN: usize = 1 << 16;

/// How many closures of it can listen at a time.
const MOST_EARS: usize = 1024;

impl Own {
    fn note_route(&mut self, route: u32, target: &str, request: &str) {
        if self.routes.len() < MOST_OWN {
            self.routes.insert(route, (target.into(), request.into()));
        }
    }

    pub(super) fn take_subscriptions(&mut self) -> BTreeSet<u32> {
        core::mem::take(&mut self.subscriptions)
    }

    fn note_subscription(&mut self, subscription: u32) {
        if self.subscriptions.len() < MOST_OWN {
            self.subscriptions.insert(subscription);
        }
    }
}

impl Far {
    /// Whether the process may do that; if not, why.
    pub(super) fn allowed(&self, act: Act<'_>) -> Result<(), IpcError> {
        if self.process.as_ref().is_some_and(|process| process.may(act)) && !act.is_hosts() {
            return Ok(());
        }
        let (module, permission) = (self.name.to_string(), act.permission());
        Err(IpcError::Forbidden { module, act: act.to_string(), permission })
    }

    /// What a route of the process's own stands for.
    fn route(&self, route: u32) -> Result<(Box<str>, Box<str>), IpcError> {
        let known = self.own.lock().routes.get(&route).cloned();
        known.ok_or_else(|| IpcError::ModuleNotFound { name: format!("the route {route}") })
    }

    /// Whether what is asked is allowed, and of numbers that are the process's own; if not, why.
    fn admitted(&self, ask: &Up<'_>) -> Result<(), IpcError> {
        match *ask {
            // Its topic is heard as its name is.
            Up::Publish(ref event) => {
                let named = self.allowed(Act::Publish { event: event.name });
                let is_part =
                    event.name.strip_prefix(event.topic).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
                let topic = if is_part && !looks_like_hosts(event.topic) {
                    Ok(())
                } else {
                    self.allowed(Act::Publish { event: event.topic })
                };
                named.and(topic)
            }
            Up::Subscribe { ref topics, .. } => topics.iter().try_for_each(|topic| {
                let topic = match topic {
                    wire::Topic::Type { name, .. } | wire::Topic::Named(name) => name,
                    wire::Topic::All => "*",
                };
                self.allowed(Act::Subscribe { topic })
            }),
            Up::Unsubscribe { subscription } if !self.own.lock().subscriptions.contains(&subscription) => {
                Err(IpcError::NotSubscribed { subscription: SubscriptionId(subscription) })
            }
            // To find a request is not to call it: a client of a contract finds all of them.
            Up::Agree { route, .. } => self.route(route).map(drop),
            Up::Call { route, .. } | Up::Request { route, .. } => {
                let (target, request) = self.route(route)?;
                self.allowed(Act::Call { target: &target, request: &request })
            }
            _ => Ok(()),
        }
    }

    fn too_many(&self) -> IpcError {
        let error = format!("found more than {MOST_EARS} closures, or a name that is too long or one too many");
        let (module, request) = (self.name.to_string(), "subscribe".to_string());
        IpcError::Failed { module, request, error: Box::new(error.into()) }
    }

    /// What it is answered that asks for what it may not.
    fn refuse(&self, ask: &Up<'_>, refused: IpcError) -> Vec<u8> {
        let mut error = Vec::new();
        if let Up::Publish(_) = ask {
            fault::write_module(&refused.into(), &mut error);
            let (counts, module) = ([0, 0, 0, 0, 1, 0], Some(self.name));
            return wire::to_bytes(&Told::Published { counts, paused: false, module, error: Bytes(&error) });
        }
        fault::write(&refused, &mut error);
        failed(&error)
    }

    /// Answers what the process asks.
    pub(super) fn answer(&self, ask: &Up<'_>, place: Option<&Place>, answer: &mut Vec<u8>) {
        self.answer_whole(ask, place, answer);
        if let Some(error) = wire::too_long(answer) {
            let (module, request) = ("helix".to_string(), "answer".to_string());
            *answer = self.refuse(ask, IpcError::Failed { module, request, error: Box::new(error) });
        }
    }

    fn answer_whole(&self, ask: &Up<'_>, place: Option<&Place>, answer: &mut Vec<u8>) {
        if let Err(refused) = self.admitted(ask) {
            *answer = self.refuse(ask, refused);
            return;
        }
        let calls = host::calls();
        let mut error = Vec::new();
        let end = self.end;
        let told = match *ask {
            Up::Done { .. } => return,
            Up::Config { key } => {
                // SAFETY: the end is this one's, and goes back when this goes; a place is of the call under way.
                let value = place.and_then(|place| unsafe { (calls.config)(end, place, key) });
                // SAFETY: the configuration lives as long as the runtime, of which a call is under way.
                Told::Text(value.map(|value| unsafe { &*value }))
            }
            // SAFETY: the end is this one's, and goes back when this goes.
            Up::TimeLeft => Told::Left(unsafe { (calls.time_left)(end) }),
            Up::Publish(ref event) => {
                // SAFETY: the end is this one's, and goes back when this goes; a place is of the call under way.
                let outcome = unsafe { (calls.publish)(end, &event.crossing(), &mut error) };
                let Outcome { handled, ignored, deferred, queued, failed, dropped, paused, module } = outcome;
                let counts = [handled, ignored, deferred, queued, failed, dropped];
                *answer = wire::to_bytes(&Told::Published { counts, paused, module, error: Bytes(&error) });
                return;
            }
            Up::Subscribe { name, ref topics, priority, closure, owned } => {
                let topics: Option<Vec<Topic<'_>>> = topics.iter().map(|told| topic(self.name, told)).collect();
                let is_full = self.own.lock().subscriptions.len() >= MOST_EARS;
                let (Some(topics), Some(name), false) = (topics, fault::name(self.name, name), is_full) else {
                    *answer = self.refuse(ask, self.too_many());
                    return;
                };
                let ear = FarEar { far: self.this.clone(), closure };
                let closure = GuestClosure(Box::into_raw(Box::new(ear)).cast_const().cast());
                let asked = Subscription { name, topics: &topics, priority, closure, ear: EARS };
                let owner = place.filter(|_| owned);
                // SAFETY: the end is this one's, and goes back when this goes; a place is of the call under way.
                match unsafe { (calls.subscribe)(end, owner, &asked, &mut error) } {
                    Some(id) => {
                        self.own.lock().note_subscription(id);
                        Told::Number(id)
                    }
                    None => failed_in(&error),
                }
            }
            Up::Unsubscribe { subscription } => {
                // SAFETY: the end is this one's, and goes back when this goes; a place is of the call under way.
                let gone = unsafe { (calls.unsubscribe)(end, subscription, &mut error) };
                if gone {
                    self.own.lock().subscriptions.remove(&subscription);
                }
                done(gone, &error)
            }
            // SAFETY: the end is this one's, and goes back when this goes; a place is of the call under way.
            Up::Resolve { target, request } => match unsafe { (calls.resolve)(end, target, request, &mut error) } {
                Some(route) => {
                    self.own.lock().note_route(route, target, request);
                    Told::Number(route)
                }
                None => failed_in(&error),
            },
            Up::Agree { route, args, reply } => {
                // SAFETY: the end is this one's, and goes back when this goes; a place is of the call under way.
                done(unsafe { (calls.agree)(end, route, &Codec::told(args, reply), &mut error) }, &error)
            }
            Up::Call { route, request, timeout, args } => {
                let (asked, mut reply) = (Asked { route, request, timeout }, Vec::new());
                // SAFETY: the end is this one's, and goes back when this goes; a place is of the call under way.
                if unsafe { (calls.call)(end, &asked, args.0, &mut reply, &mut error) } {
                    *answer = wire::to_bytes(&Told::Reply(Bytes(&reply)));
                    return;
                }
                failed_in(&error)
            }
            Up::Request { route, timeout, ref letter } => {
                let asked = Asked { route, request: letter.request, timeout };
                let mut respond = |response: Answer<'_>| {
                    *answer = wire::to_bytes(&Told::Response(response.to_wire()));
                };
                // SAFETY: the end is this one's, and goes back when this goes; a place is of the call under way.
                if unsafe { (calls.request)(end, &asked, &letter.to_request(), &mut respond, &mut error) } {
                    return;
                }
                failed_in(&error)
            }
        };
        *answer = match told {
            Told::Failed { error: Bytes(error), .. } => failed(error),
            told => wire::to_bytes(&told),
        };
    }
}

/// What the runtime alone publishes.
const OF_RUNTIME: &[&str] =
    &["module.loaded", "module.unloaded", "module.reloaded", "module.crashed", "shutdown", "health-check"];

/// The topics of these.
const HOSTS_TOPICS: &[&str] = &["module", "node", "config", "maintenance", "resource"];

/// Whether an event of that name, or a topic, is the host's alone.
pub(super) fn is_hosts(event: &str) -> bool {
    OF_RUNTIME.contains(&event) || OF_HOST.contains(&event)
}

/// Whether an event may be taken for one of the host's.
pub(super) fn looks_like_hosts(event: &str) -> bool {
    is_hosts(event) || HOSTS_TOPICS.contains(&event)
}

/// What went wrong, before it is put into words.
fn failed_in(error: &[u8]) -> Told<'_> {
    Told::Failed { error: Bytes(error), text: "" }
}

/// The same in bytes, with the words for those who cannot read an error of this crate's.
fn failed(error: &[u8]) -> Vec<u8> {
    let text = fault::read(error).to_string();
    wire::to_bytes(&Told::Failed { error: Bytes(error), text: &text })
}

fn done(done: bool, error: &[u8]) -> Told<'_> {
    if done { Told::Done } else { failed_in(error) }
}

/// Nothing where it has a name that is not kept.
fn topic<'a>(module: &'static str, topic: &wire::Topic<'a>) -> Option<Topic<'a>> {
    Some(match *topic {
        wire::Topic::Type { topic, name, shape } => {
            Topic::Type { topic: fault::name(module, topic)?, name: fault::name(module, name)?, shape }
        }
        wire::Topic::Named(name) => Topic::Named(name),
        wire::Topic::All => Topic::All,
    })
}
