//! All that a runtime has: its modules, the closures that listen or answer, and the view of them that calls walk.
//!
//! The registry is changed under its lock, by which no user code runs. The view is made of it anew and exchanged by one
//! store; a call that is under way keeps the one that it has read, and with it every instance that it names: what is taken
//! out of the registry is kept in `Retired` until every call has ended that was under way when the view was exchanged.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use crate::bus::{EventSubscription, SubscriptionId};
use crate::chain::Grace;
use crate::closure;
use crate::descriptor::Descriptor;
use crate::error::ModuleState;
use crate::handwritten::{self, ModuleTrait};
use crate::place::ModuleId;
use crate::runtime::inner::Settings;
use crate::runtime::instance::{Counters, Instance};
use crate::runtime::names::{Names, Pair};
use crate::runtime::plan::Plan;
use crate::runtime::slot::{Limits, Slot};
use crate::runtime::supervise::Supervised;
use crate::runtime::topics::{Counts, Topics};

/// What calls walk.
pub(super) struct View {
    pub(super) topics: Topics,
    pub(super) names: Arc<Names>,
    /// Whether nobody is to hear what is published.
    pub(super) paused: bool,
}

/// A view that others may still read. Not a `Box`, which would say that nobody does.
pub(super) struct OldView(NonNull<View>);

// SAFETY: it is only dropped, and any thread may drop a view.
unsafe impl Send for OldView {}

impl OldView {
    /// # Safety
    /// The view came from `Box::into_raw`, nobody finds it any more, and this goes when nobody reads it any more.
    pub(super) unsafe fn new(view: NonNull<View>) -> Self {
        Self(view)
    }
}

impl Drop for OldView {
    fn drop(&mut self) {
        // SAFETY: see `new`.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

/// What was replaced, until nobody can read it any more.
pub(super) struct Retired {
    /// Freed by being dropped.
    pub(super) _view: OldView,
    pub(super) _instances: Vec<Arc<Instance>>,
    pub(super) grace: Grace,
}

pub(super) struct Registry {
    /// In the order of registration.
    pub(super) members: Vec<Member>,
    pub(super) plan: Plan,
    /// Whether what is missing may come later.
    pub(super) open: bool,
    closures: Vec<Closure>,
    pub(super) endpoints: Vec<Endpoint>,
    pairs: Vec<Arc<Pair>>,
    names: Arc<Names>,
    pub(super) counts: Counts,
    paused: bool,
    next: u32,
}

pub(super) struct Member {
    pub(super) instance: Arc<Instance>,
    /// Whether it came with its data, so that no other can be made.
    pub(super) written: bool,
    pub(super) supervised: Supervised,
}

/// A closure that listens.
struct Closure {
    id: SubscriptionId,
    instance: Arc<Instance>,
    /// The address of the module's instance that it ends with.
    owner: Option<usize>,
    paused: bool,
}

/// A closure that answers requests, under a number of its owner's choice.
pub(super) struct Endpoint {
    pub(super) number: u64,
    pub(super) instance: Arc<Instance>,
}

impl Registry {
    pub(super) fn new(open: bool) -> Self {
        let mut pairs = Vec::new();
        let names = Arc::new(Names::new(&mut pairs, core::iter::empty()));
        Self {
            members: Vec::new(),
            plan: Plan::default(),
            open,
            closures: Vec::new(),
            endpoints: Vec::new(),
            pairs,
            names,
            counts: Counts::new(),
            paused: false,
            next: 0,
        }
    }

    fn slot(&mut self, name: &str, settings: &Settings) -> Arc<Slot> {
        let id = ModuleId(self.next);
        self.next += 1;
        let data_dir = settings.data_dir.as_ref().map(|root| format!("{root}/{}", name.replace('/', "+")).into());
        Arc::new(Slot::new(id, data_dir, Limits { ring: settings.ring, mailbox: settings.mailbox }))
    }

    /// Adds a module. Nobody finds it until `follow`.
    pub(super) fn add(
        &mut self,
        descriptor: Descriptor,
        written: Option<Box<dyn ModuleTrait>>,
        settings: &Settings,
    ) -> Arc<Instance> {
        let slot = self.slot(descriptor.info.name, settings);
        let is_written = written.is_some();
        let data = written.map_or(core::ptr::null_mut(), handwritten::into_instance);
        let instance = Arc::new(counted(Instance::new(slot, descriptor, data), settings));
        self.members.push(Member {
            instance: instance.clone(),
            written: is_written,
            supervised: Supervised::default(),
        });
        instance
    }

    /// Takes a new plan for the members as they are now.
    pub(super) fn follow(&mut self, plan: Plan) {
        self.plan = plan;
        self.name();
    }

    /// Finds the names anew. A name stands for the module of that name first, then for the provider of that service.
    pub(super) fn name(&mut self) {
        let members = &self.members;
        let is_module = |name: &str| members.iter().any(|member| member.instance.name() == name);
        let modules = members.iter().map(|member| (member.instance.name(), &*member.instance));
        let services = self.plan.chosen.iter().filter(|(service, _)| !is_module(service));
        let services = services.map(|(service, at)| (*service, &*members[*at].instance));
        let endpoints = self.endpoints.iter().map(|endpoint| (endpoint.instance.name(), &*endpoint.instance));
        self.names = Arc::new(Names::new(&mut self.pairs, modules.chain(services).chain(endpoints)));
    }

    /// What calls are to walk from now on.
    pub(super) fn view(&mut self, settings: &Settings) -> View {
        let members = &self.members;
        let lives = |owner: usize| members.iter().any(|member| member.instance.address() == owner);
        let closures = self.closures.iter().filter(|closure| !closure.paused && closure.owner.is_none_or(lives));
        let listening =
            members.iter().map(|member| &*member.instance).chain(closures.map(|closure| &*closure.instance));
        let mut listening: Vec<&Instance> = listening.collect();
        listening.sort_by_key(|instance| instance.slot.id);
        let plainly = !self.paused && !settings.statistics;
        let topics = Topics::new(listening.into_iter(), &mut self.counts, plainly);
        View { topics, names: self.names.clone(), paused: self.paused }
    }

    pub(super) fn index(&self, id: ModuleId) -> Option<usize> {
        self.members.iter().position(|member| member.instance.slot.id == id)
    }

    pub(super) fn index_of(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|member| member.instance.name() == name)
    }

    /// The members in the order in which they start.
    pub(super) fn in_order(&self) -> Vec<Arc<Instance>> {
        self.plan.order.iter().map(|at| self.members[*at].instance.clone()).collect()
    }

    pub(super) fn set(&self) -> Vec<&Descriptor> {
        self.members.iter().map(|member| &member.instance.descriptor).collect()
    }

    /// Those that need a module, in the order in which they start.
    pub(super) fn dependents(&self, module: usize, optional: bool) -> Vec<Arc<Instance>> {
        let dependents = self.plan.dependents(module, &self.set(), optional);
        dependents.into_iter().map(|at| self.members[at].instance.clone()).collect()
    }

    /// The names of those running that need a module, separated by commas; empty if nobody does.
    pub(super) fn needed_by(&self, module: usize) -> String {
        let dependents = self.plan.dependents(module, &self.set(), false);
        let running = dependents.into_iter().map(|at| &self.members[at].instance).filter(|other| other.is_running());
        running.map(|other| other.name()).collect::<Vec<_>>().join(", ")
    }

    /// Adds a closure that listens.
    pub(super) fn subscribe(
        &mut self,
        owner: Option<usize>,
        subscription: EventSubscription,
        settings: &Settings,
    ) -> (SubscriptionId, Arc<Instance>) {
        let slot = self.slot(subscription.name, settings);
        let id = SubscriptionId(slot.id.0);
        let (descriptor, data) = closure::listens(subscription.name, subscription.handler);
        let mut instance = Instance::new(slot, descriptor, data);
        instance.listens = Some((subscription.topics.into(), subscription.priority));
        let instance = Arc::new(counted(instance, settings));
        run(&instance);
        // Until its owner runs, and while it does not, nobody enters.
        if owner.is_some_and(|owner| !self.runs(owner)) {
            instance.word.close();
        }
        self.closures.push(Closure { id, instance: instance.clone(), owner, paused: false });
        (id, instance)
    }

    pub(super) fn unsubscribe(&mut self, id: SubscriptionId) -> Option<Arc<Instance>> {
        let at = self.closures.iter().position(|closure| closure.id == id)?;
        Some(self.closures.remove(at).instance)
    }

    /// Takes away the closures that end with an instance, which goes. It gets no others: its address may be another's soon.
    pub(super) fn unsubscribe_all(&mut self, owner: &Instance) -> Vec<Arc<Instance>> {
        owner.place.gone.store(true, Ordering::Relaxed);
        let of_owner = |closure: &mut Closure| closure.owner == Some(owner.address());
        let ended = self.closures.extract_if(.., of_owner).map(|closure| closure.instance);
        // A publication that is under way has them in its table still.
        ended.inspect(|instance| instance.word.close()).collect()
    }

    /// The closures that end with an instance.
    pub(super) fn closures_of(&self, owner: &Instance) -> Vec<Arc<Instance>> {
        let of_owner = self.closures.iter().filter(|closure| closure.owner == Some(owner.address()));
        of_owner.map(|closure| closure.instance.clone()).collect()
    }

    /// Lets callers into the closures that end with an instance, which runs. One that has panicked stays as it is.
    ///
    /// Under the lock, like their removal: one that was taken out is closed for good, and must not be opened after that.
    pub(super) fn open_closures_of(&self, owner: &Instance) {
        let of_owner = self.closures.iter().filter(|closure| closure.owner == Some(owner.address()) && !closure.paused);
        of_owner.filter(|closure| closure.instance.is_running()).for_each(|closure| closure.instance.word.open());
    }

    /// Pauses or resumes a closure; none if there is no such.
    pub(super) fn set_paused(&mut self, id: SubscriptionId, paused: bool) -> Option<Arc<Instance>> {
        let at = self.closures.iter().position(|closure| closure.id == id)?;
        self.closures[at].paused = paused;
        let Closure { instance, owner, .. } = &self.closures[at];
        if paused {
            instance.word.close();
        } else if instance.is_running() && owner.is_none_or(|owner| self.runs(owner)) {
            instance.word.open();
        }
        Some(instance.clone())
    }

    /// Whether the instance at that address runs.
    fn runs(&self, owner: usize) -> bool {
        self.members.iter().any(|member| member.instance.address() == owner && member.instance.is_running())
    }

    pub(super) fn set_bus_paused(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Adds a closure that answers.
    pub(super) fn register(
        &mut self,
        number: u64,
        name: &'static str,
        handler: closure::RequestHandler,
        settings: &Settings,
    ) {
        let slot = self.slot(name, settings);
        let (descriptor, data) = closure::answers(name, handler);
        let instance = Arc::new(Instance::new(slot, descriptor, data));
        run(&instance);
        self.endpoints.push(Endpoint { number, instance });
        self.name();
    }

    /// All who listen, in the order of their registration.
    pub(super) fn listening(&self) -> Vec<&Arc<Instance>> {
        let members = self.members.iter().map(|member| &member.instance);
        let mut all: Vec<_> = members.chain(self.closures.iter().map(|closure| &closure.instance)).collect();
        all.sort_by_key(|instance| instance.slot.id);
        all
    }

    /// The slot of whatever has that number: a module, a closure that listens or one that answers.
    pub(super) fn slots(&self) -> Vec<Arc<Slot>> {
        let endpoints = self.endpoints.iter().map(|endpoint| &endpoint.instance);
        self.listening().into_iter().chain(endpoints).map(|instance| instance.slot.clone()).collect()
    }

    /// Whether something waits for any of them.
    pub(super) fn has_waiting(&self) -> bool {
        let members = self.members.iter().map(|member| &member.instance);
        let closures = self.closures.iter().map(|closure| &closure.instance);
        let endpoints = self.endpoints.iter().map(|endpoint| &endpoint.instance);
        members.chain(closures).chain(endpoints).any(|instance| instance.slot.has_waiting())
    }

    /// Whether something that answers, or a service, is called so.
    pub(super) fn is_name(&self, name: &str) -> bool {
        self.endpoint(name).is_some()
            || self.index_of(name).is_some()
            || self.plan.chosen.iter().any(|(service, _)| *service == name)
    }

    /// The name of the module that provides a service.
    pub(super) fn provider(&self, service: &str) -> Option<String> {
        let (_, at) = self.plan.chosen.iter().find(|(known, _)| *known == service)?;
        Some(self.members[*at].instance.name().to_string())
    }

    /// What waits for the module, the service or the closure of that name.
    pub(super) fn slot_of(&self, name: &str) -> Option<Arc<Slot>> {
        let chosen = || self.plan.chosen.iter().find(|(service, _)| *service == name).map(|(_, at)| *at);
        let module = self.index_of(name).or_else(chosen).map(|at| &self.members[at].instance);
        let found = module.or_else(|| self.endpoint(name).map(|endpoint| &endpoint.instance))?;
        Some(found.slot.clone())
    }

    /// All who answer requests, in the order of their registration.
    pub(super) fn answering(&self) -> Vec<Arc<Instance>> {
        let endpoints = self.endpoints.iter().map(|endpoint| &endpoint.instance);
        let mut all: Vec<_> = self.members.iter().map(|member| &member.instance).chain(endpoints).cloned().collect();
        all.sort_by_key(|instance| instance.slot.id);
        all
    }

    /// The closure that answers under that name.
    pub(super) fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.instance.name() == name)
    }

    /// What a message may be addressed to by number: an endpoint first, then a module.
    pub(super) fn name_of_number(&self, number: u64) -> Option<String> {
        let endpoint = self.endpoints.iter().find(|endpoint| endpoint.number == number).map(|found| &found.instance);
        let module = || self.members.iter().map(|member| &member.instance).find(|it| it.slot.id.as_u64() == number);
        endpoint.or_else(module).map(|found| found.name().to_string())
    }
}

/// Gives an instance its counters where statistics are kept, and makes room in its rings.
pub(super) fn counted(mut instance: Instance, settings: &Settings) -> Instance {
    let hearings = instance.hearings().count();
    if settings.statistics {
        instance.counters = core::iter::repeat_with(Counters::default).take(hearings).collect();
    }
    if hearings > 0 && !instance.is_lockless() {
        instance.slot.busy.reserve();
    }
    instance
}

/// A closure runs as soon as it is there: it has no steps.
fn run(instance: &Instance) {
    for state in [ModuleState::Created, ModuleState::Initialized] {
        let moved = instance.move_to(state);
        debug_assert!(moved.is_ok());
    }
    let opened = instance.open();
    debug_assert!(opened.is_ok());
}
